"""Outcomes to worklists, a consumer group for each: the edge of streams/worklist."""
