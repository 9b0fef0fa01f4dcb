"""After the warm-up nothing is left to compile, and what is kept on disk outlives an upgrade."""

import importlib
import pkgutil
from typing import Any

import msgspec
from numba.core.dispatcher import Dispatcher

import detectors
from detectors.warm import warm_up
from streams.hospital.settings import Hospital, config_for
from streams.pipeline import Pipeline
from streams.simulate import simulate

NAMED_FOR_EVER = {"detectors._starts.Starts"}


def loops() -> dict[str, Dispatcher]:
    modules = pkgutil.iter_modules(detectors.__path__, "detectors.")
    found = (vars(importlib.import_module(module.name)).items() for module in modules)
    return {
        f"{loop.__module__}.{name}": loop
        for names in found
        for name, loop in names
        if isinstance(loop, Dispatcher)
    }


def compiled() -> dict[str, set[Any]]:
    return {name: {*loop.signatures} for name, loop in loops().items()}


def test_a_shard_finds_every_loop_compiled() -> None:
    warm_up()
    before = compiled()

    hospital = Hospital(studies_per_day=200, days=3)
    config = config_for(hospital)
    early = msgspec.structs.replace(config.reference, observations=100)
    pipeline = Pipeline(msgspec.structs.replace(config, reference=early))
    pipeline.handle_all(simulate(hospital, seed=7))

    assert pipeline.sizes()["series_watching"] > 20
    assert compiled() == before


def test_the_classes_that_loops_take_stay_where_they_are() -> None:
    """Numba's files beside a module name them: after an upgrade it could not read those of before,
    and the worker would not start.
    """
    warm_up()

    kinds = {kind for loop in loops().values() for seen in loop.signatures for kind in seen}
    named = {kind.instance_class for kind in kinds if hasattr(kind, "instance_class")}
    assert {f"{one.__module__}.{one.__qualname__}" for one in named} <= NAMED_FOR_EVER
