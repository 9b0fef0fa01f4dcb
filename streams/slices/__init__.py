"""A whole and the slices that it consists of: who moved, and which group is served worse."""
