"""A hospital that does not exist: its settings, its faults, and the course of its studies.

No clock and no I/O: everything follows from the settings and a seed (`streams.simulate`).
"""
