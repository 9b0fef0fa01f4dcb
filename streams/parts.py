"""What one shard is made of, built from its configuration: each part knows its own subject alone.

`streams/pipeline.py` hands events to them, `telling.py` what they conclude, `passing.py` the time,
and `memory.py` writes them down.
"""

from collections import Counter

from schemas.config import Config
from streams.budget import Budget
from streams.clock import Clock
from streams.detect import Detect
from streams.incidents.commands import Commands
from streams.incidents.stage import Incidents
from streams.lost import Losses
from streams.observations.firsts import Firsts
from streams.observations.observe import REFUSED, Observe, Watched
from streams.observations.slicing import Slicing
from streams.outcomes.correlate import Correlate
from streams.outcomes.outage import Outages
from streams.outcomes.proving import Proving
from streams.performance.readout import Readout
from streams.routing.stage import Routing
from streams.self_watch import SelfWatch
from streams.sites import Sites
from streams.slices.subgroups import Subgroups
from streams.stage import EVERYTHING, Stage, Timeless
from streams.stages import stages_of


class Parts:
    """The parts of one shard."""

    def __init__(self, config: Config, partition: int) -> None:
        self.budget = Budget(config)
        self.clock = Clock(config.clock.lateness_s, config.clock.max_skew_s)
        self.sites = Sites(config)
        self.lost = Losses(partition)
        self.observe = Observe(config.watch)
        self.slicing = Slicing(config.watch.slices)
        self.proving = Proving()
        self.outages = Outages(config, self.budget)
        self.detect = Detect(config, self.budget, config.slices)
        self.incidents = Incidents(config)
        self.commands = Commands()
        self.self_watch = SelfWatch(config.clock, partition)
        self.stages = stages_of(config, self.budget, self.lost)
        self.is_observed = bool(self.stages) or not self.observe.is_idle
        self.correlate = Correlate(config, self.lost, is_observed=self.is_observed)
        self.firsts = Firsts(config.bounds)
        self.readout = next((one for one in self.stages if isinstance(one, Readout)), None)
        self.subgroups = next((one for one in self.stages if isinstance(one, Subgroups)), None)
        self.routing = Routing(config)

    def takers(self) -> dict[type[Watched], list[Stage]]:
        """The stages that are handed each kind of event."""
        return {
            kind: [stage for stage in self.stages if kind in stage.takes] for kind in EVERYTHING
        }

    def watching(self) -> tuple[Stage | Routing, ...]:
        """The stages to which time alone may bring something."""
        timed = (stage for stage in self.stages if not isinstance(stage, Timeless))
        return (*timed, self.routing)

    def live(self) -> Counter[tuple[str, str]]:
        """How many incidents live, by kind and state."""
        return Counter((case.kind, case.state) for case in self.incidents.live())

    def sizes(self) -> dict[str, int]:
        """What is remembered, for the metrics."""
        sizes = {
            "sites": len(self.sites),
            **self.correlate.sizes(),
            "patients": len(self.firsts.patients),
            **self.detect.sizes(),
            "incidents_live": len(self.incidents.live()),
        }
        for stage in self.stages:
            sizes |= stage.sizes()
        return sizes | self.routing.sizes()

    def losses(self) -> dict[str, int]:
        """What a bound or a rule has dropped, by reason, for the metrics."""
        counted = (
            self.sites.dropped,
            self.correlate.dropped,
            self.firsts.dropped,
            self.firsts.patients.dropped,
            self.detect.dropped,
            self.commands.rejected,
            *(stage.dropped for stage in self.stages),
            self.routing.dropped,
        )
        return {
            **{reason: n for counter in counted for reason, n in counter.items()},
            **{reason: self.observe.counts[reason] for reason in REFUSED},
        }
