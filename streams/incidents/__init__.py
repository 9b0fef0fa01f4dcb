"""Findings and commands become incidents: their life, their ids, their clocks."""
