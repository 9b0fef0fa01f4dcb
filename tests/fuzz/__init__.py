"""Mutated messages for every translator: `python -m tests.fuzz --help`."""
