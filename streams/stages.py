"""The register of stages: one line for each."""

from collections.abc import Mapping

from msgspec import Struct

from schemas.config import Config
from streams.budget import Budget
from streams.stage import Stage

_KINDS: tuple[type[Stage], ...] = ()


def stages_of(config: Config, budget: Budget) -> tuple[Stage, ...]:
    """The stages of one shard, in the order in which they are asked."""
    return ()


def record_kinds() -> Mapping[str, type[Struct]]:
    """The records that stages write, by kind and version."""
    return {kind: struct for stage in _KINDS for kind, struct in stage.kinds.items()}
