"""The register of stages: one line for each."""

from collections.abc import Mapping

from msgspec import Struct

from schemas.config import Config
from streams.budget import Budget
from streams.disagreement import Disagreement
from streams.lost import Losses
from streams.off_label import OffLabel
from streams.performance.readout import Readout
from streams.quality import Quality
from streams.silence import Silence
from streams.stage import Stage
from streams.subgroups import Subgroups
from streams.versions import Versions

_KINDS: tuple[type[Stage], ...] = (
    Silence,
    Readout,
    Versions,
    Disagreement,
    OffLabel,
    Quality,
    Subgroups,
)


def stages_of(config: Config, budget: Budget, lost: Losses) -> tuple[Stage, ...]:
    """The stages of one shard, in the order in which they are asked."""
    over = config.oversight
    return (
        Silence(config, config.silence, budget.grant, lost),
        Readout(config, config.performance, budget),
        Versions(config.models, over.version_change),
        Disagreement(config.models, over.version_disagreement, budget.grant),
        OffLabel(config.models, over.off_label, budget.grant),
        Quality(config.models, over.data_quality, config.watch, config.clock, budget.grant),
    )


def record_kinds() -> Mapping[str, type[Struct]]:
    """The records that stages write, by kind and version."""
    return {kind: struct for stage in _KINDS for kind, struct in stage.kinds.items()}
