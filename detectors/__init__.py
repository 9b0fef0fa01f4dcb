"""Numbers in, findings out."""
