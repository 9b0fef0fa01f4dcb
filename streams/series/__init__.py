"""One watched series: what it learns, what it is held against, and what is told of it."""
