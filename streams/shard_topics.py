"""The topics as a shard sees them: what it merges and writes, what is re-keyed in front."""

from msgspec import Struct

from schemas import topics
from schemas.config import Config


class ShardTopics(Struct, frozen=True):
    """Full names. `merged` in the order of precedence; `rekeyed` maps a copy to its source."""

    merged: tuple[str, ...]
    rekeyed: dict[str, str]
    incidents: str
    outcomes: str
    series: str
    notifications: str
    replies: str
    deadletters: str
    state: str

    @property
    def timed(self) -> set[str]:
        """By the stamps of these time is told: all inputs, sources too, and what we write most."""
        return {*self.merged, *self.rekeyed.values(), self.state}


def shard_topics(config: Config) -> ShardTopics:
    """The names of a deployment's topics."""
    copies = {
        spec.stem: topics.keyed(spec).name(config.prefix)
        for spec in topics.INPUTS
        if getattr(config.topics, spec.stem).rekey
    }
    sources = {spec.stem: spec.name(config.prefix) for spec in topics.INPUTS}
    outputs = {spec.stem: spec.name(config.prefix) for spec in topics.OUTPUTS}
    return ShardTopics(
        merged=tuple((sources | copies).values()),
        rekeyed={copy: sources[stem] for stem, copy in copies.items()},
        incidents=outputs["incidents"],
        outcomes=outputs["outcomes"],
        series=outputs["series"],
        notifications=outputs["notifications"],
        replies=outputs["replies"],
        deadletters=outputs["deadletters"],
        state=topics.STATE.name(config.prefix),
    )
