"""Which results are expected, which came and which did not; and the outages that follow from it."""
