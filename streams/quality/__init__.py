"""Faults of the data itself: stuck scores, values that cannot be, fields that are missing."""
