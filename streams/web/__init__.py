"""The live page: what the topics say, as people need it at night and in daylight.

reader -> View (pure, bounded) -> pages (pure) -> templates -> server. docs/PAGE.md says what is
shown to whom. It is a reader like any other: it joins no group and stops nothing when it fails.
"""
