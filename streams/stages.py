"""The register of stages: one line for each."""

from collections.abc import Callable, Mapping

from msgspec import Struct

from schemas.config import Config, Monitor
from streams.budget import Budget
from streams.disagreement import Disagreement
from streams.lost import Losses
from streams.off_label import OffLabel
from streams.performance.readout import Readout
from streams.quality.stage import Quality
from streams.silence import Silence
from streams.slices.subgroups import Subgroups
from streams.stage import Stage
from streams.versions import Versions

_KINDS: Mapping[Monitor, type[Stage]] = {
    "silence": Silence,
    "performance": Readout,
    "version_change": Versions,
    "version_disagreement": Disagreement,
    "off_label": OffLabel,
    "data_quality": Quality,
    "subgroup_gap": Subgroups,
}


def stages_of(config: Config, budget: Budget, lost: Losses) -> tuple[Stage, ...]:
    """The stages of one shard that are wanted, in the order in which they are asked."""
    over, models, grant = config.oversight, config.models, budget.grant
    make: Mapping[Monitor, Callable[[], Stage]] = {
        "silence": lambda: Silence(config, config.silence, grant, lost),
        "performance": lambda: Readout(config, config.performance, budget),
        "version_change": lambda: Versions(models, over.version_change),
        "version_disagreement": lambda: Disagreement(models, over.version_disagreement, grant),
        "off_label": lambda: OffLabel(models, over.off_label, grant),
        "data_quality": lambda: Quality(
            models, over.data_quality, config.watch, config.clock, grant
        ),
        "subgroup_gap": lambda: Subgroups(config, config.slices, grant),
    }
    return tuple(make[monitor]() for monitor in make if monitor in config.watch.monitors)


def record_kinds() -> Mapping[str, type[Struct]]:
    """The records that stages write, by kind and version."""
    return {kind: struct for stage in _KINDS.values() for kind, struct in stage.kinds.items()}
