"""A model's answers of several scanners in few words: an event every 7 minutes."""

from collections.abc import Callable, Iterable, Iterator

import msgspec
import numpy as np

from schemas.config import Budget as Promise
from schemas.config import Config, Model, Reference, Watch
from schemas.slices import SliceSettings
from streams import state
from streams.budget import Account, Budget
from streams.detect import Detect, Said
from streams.fields import Value
from streams.finding import Finding
from streams.observations.observe import Observations
from streams.observations.slicing import SiteLabels
from streams.series.record import SeriesRecord

EVERY_US = 7 * 60_000_000
CONFIG = Config(
    budget=Promise(sites=1),
    reference=Reference(observations=200, min_days=0),
    watch=Watch(slices=("scanner.station", "patient.sex")),
    models=[Model(name="ptx", owner="imaging")],
)
INPUTS = msgspec.structs.replace(
    CONFIG, watch=Watch(slices=("scanner.station", "scanner.model", "patient.sex"))
)
SLICING = SliceSettings(observations=60)
Log = dict[tuple[str, ...], bytes]


def events(
    n: int,
    seed: int = 1,
    moved: tuple[int, int] = (0, 0),
    scanner: str = "CT2",
    scanners_n: int = 3,
) -> Iterator[Observations]:
    """Scores and calls; between the two places of `moved` those of one scanner are other ones."""
    rng = np.random.default_rng(seed)
    for place in range(n):
        station = f"CT{1 + int(rng.integers(scanners_n))}"
        sex = "FM"[int(rng.integers(2))]
        score, called = float(rng.normal()), bool(rng.random() < 0.3)
        if moved[0] <= place < moved[1] and scanner in (station, "all"):
            score, called = score + 3, True
        yield Observations(
            "north",
            "ptx",
            f"s{place}",
            place * EVERY_US,
            [("p.score", score), ("p.positive", called)],
            (f"scanner.station={station}", f"patient.sex={sex}"),
        )


Fault = Callable[[int, dict[str, Value]], None]
"""What happens to a study of a scanner, 1 to 6; it may change the scanner."""


def inputs(n: int, moved: tuple[int, int], fault: Fault, seed: int = 1) -> Iterator[Observations]:
    """A study of one of six scanners of two models, and a model's features of it."""
    rng = np.random.default_rng(seed)
    for place in range(n):
        scanner = int(rng.integers(1, 7))
        told: dict[str, Value] = {
            "scanner.station": f"CT{scanner}",
            "scanner.model": f"M{scanner % 2}",
            "acquisition.kvp": float(rng.normal(100 + 5 * scanner, 5)),
            "acquisition.kernel": "B30f" if rng.random() < 0.1 * scanner else "B50f",
            "features.snr": float(rng.normal()),
        }
        if moved[0] <= place < moved[1]:
            fault(scanner, told)
        snr = told.pop("features.snr")
        sex = "FM"[int(rng.integers(2))]
        slices = tuple(f"{path}={told[path]}" for path in ("scanner.station", "scanner.model"))
        slices, at_us = (*slices, f"patient.sex={sex}"), place * EVERY_US
        yield Observations("north", "", f"s{place}", at_us, [*told.items()], slices)
        yield Observations("north", "ptx", f"s{place}", at_us, [("features.snr", snr)], slices)


class Sliced:
    """A shard's series with its changelog."""

    def __init__(self, config: Config = CONFIG, slicing: SliceSettings = SLICING) -> None:
        self.config, self.slicing = config, slicing
        self.budget = Budget(config)
        self.detect = Detect(config, self.budget, slicing)
        self.said: list[Said] = []
        self.log: Log = {}
        self.accounts: dict[str, Account] = {}

    def feed(self, seen: Iterable[Observations], flush_at: Iterable[int] = ()) -> list[Finding]:
        """Take events; flush after those places, and at the end."""
        places = set(flush_at)
        for place, one in enumerate(seen):
            self.said += self.detect.observe(one)
            if place in places:
                self.said += self.detect.flush()
        self.said += self.detect.flush()
        return self.findings()

    def findings(self, subject: str | None = None) -> list[Finding]:
        found = [what for what in self.said if isinstance(what, Finding)]
        return [one for one in found if subject in (None, one.subject)]

    def checkpoint(self) -> Log:
        """The changelog as of now, compacted."""
        for account in self.budget.changes():
            self.accounts[account.site] = account
        for key, record, bulk in self.detect.changes():
            for name, value in bulk:
                if value is None:
                    self.log.pop(("bulk", *key, name), None)
                else:
                    self.log["bulk", *key, name] = value
            _, raw = state.write("series/2", key, record)
            assert raw is not None
            self.log["series", *key] = raw
        for labels in self.detect.labels():
            self.log["labels", labels.site] = msgspec.msgpack.encode(labels)
        return self.log

    def restarted(self) -> "Sliced":
        """Another one that has read the changelog backwards."""
        self.checkpoint()
        other = Sliced(self.config, self.slicing)
        other.budget.restore(self.accounts.values())
        other.accounts, other.log, other.said = self.accounts, dict(self.log), self.said
        for key, raw in self.log.items():
            if key[0] == "labels":
                other.detect.take_up(msgspec.msgpack.decode(raw, type=SiteLabels))
        decode = state._decoders["series/2"].decode
        for key, raw in reversed(self.log.items()):
            if key[0] == "series":
                record = decode(raw)
                assert isinstance(record, SeriesRecord)
                bulk = {
                    k[4]: v for k, v in self.log.items() if k[0] == "bulk" and k[1:4] == key[1:]
                }
                other.detect.restore(record, bulk)
        return other
