"""Settings of `[slices]`: how parts of the studies are watched, and groups are compared."""

from typing import Annotated

from msgspec import Meta, Struct

from schemas.fields import Name, Positive


class SliceSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Of the fields in `watch.slices`."""

    observations: Annotated[int, Meta(ge=50, le=100_000)] = 500
    """A slice's reference is frozen after so many, where `reference.observations` is not less."""
    inputs: tuple[Name, ...] = ("scanner.station",)
    """Of `watch.slices` those in whose values numbers of studies (`acquisition.*`, `attributes.*`)
    and features of models are watched as series, too: 9 kB each. None: only what models say is.
    Needs `explain_inputs`; at most half of `bounds.series_per_site` is for them."""
    values_per_field: Annotated[int, Meta(ge=2, le=250)] = 32
    """How many values of a field are told apart at a site; further ones are counted."""
    explain_inputs: bool = True
    """Whether it is told of inputs and features, too, who moved: 20 kB a series of numbers."""
    subgroup_margin: Annotated[float, Meta(gt=0, lt=1)] = 0.1
    """A group may be served worse than the rest by so much: a difference of shares."""
    subgroup_least_n: Annotated[int, Meta(ge=20, le=100_000)] = 100
    """Nothing is claimed of a group before it, and the rest, have so many studies."""
    subgroups_per_site: Positive = 500
    """How many groups of a site are compared with the rest."""
