"""After the warm-up nothing is left to compile, and what is kept on disk outlives an upgrade."""

import importlib
import pkgutil
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import msgspec
import numba
from numba.core.dispatcher import Dispatcher

import detectors
from detectors._compiled import digest_of
from detectors.warm import warm_up
from streams.hospital.settings import Hospital, config_for
from streams.pipeline import Pipeline
from streams.simulate import simulate


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
    """In a process of its own: in this one other tests may have compiled what it leaves out."""
    with get_context("spawn").Pool(1) as pool:
        pool.apply(feed_a_shard)


def feed_a_shard() -> None:
    warm_up()
    before = compiled()

    hospital = Hospital(studies_per_day=200, days=3)
    config = config_for(hospital)
    early = msgspec.structs.replace(config.reference, observations=100)
    pipeline = Pipeline(msgspec.structs.replace(config, reference=early))
    pipeline.handle_all(simulate(hospital, seed=7))

    assert pipeline.sizes()["series_watching"] > 20
    assert compiled() == before


def test_machine_code_is_kept_by_the_sources_it_was_made_of(tmp_path: Path) -> None:
    warm_up()

    (folder,) = detectors.__path__
    kept = Path(numba.config.CACHE_DIR)
    assert kept.name == f"loops-{digest_of(Path(folder))}"
    assert list(kept.rglob("*.nbi"))
    before = digest_of(tmp_path)
    (tmp_path / "loop.py").write_text("def loop(): ...")
    between = digest_of(tmp_path)
    (tmp_path / "loop.py").write_text("def loop(): pass")
    assert len({before, between, digest_of(tmp_path)}) == 3
