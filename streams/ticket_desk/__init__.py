"""Incidents as tickets, a consumer group for each tracker: the edge of streams/tickets."""
