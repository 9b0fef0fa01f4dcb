"""Stages (pure) and the edges around them (Kafka, files, the terminal)."""
