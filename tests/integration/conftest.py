"""One real Kafka for the whole session; without one, tests skip with the reason, but not in CI."""

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import pytest

pytest.register_assert_rewrite("tests.integration.scene", "tests.integration.ward")

from detectors.warm import warm_up  # noqa: E402
from tests.integration.brokers import Broker, broker  # noqa: E402
from tests.integration.kafka_rig import Unavailable  # noqa: E402
from tests.integration.scene import Scene  # noqa: E402

Started = TypeVar("Started", bound=Broker)


@pytest.fixture(scope="session", autouse=True)
def compiled() -> None:
    """In a fresh clone: once here, and not in each worker that is killed before it is done."""
    warm_up()


@pytest.fixture(scope="session", autouse=True)
def interruptible() -> None:
    """A suite that was started in the background ignores SIGINT, and its programs would as well."""
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    yield from running(broker, tmp_path_factory.mktemp("kafka"))


def running(make: Callable[[Path], Started], folder: Path) -> Iterator[Started]:
    """A broker that runs for as long as somebody needs it."""
    try:
        found = make(folder)
        found.start()
    except Unavailable as reason:
        if os.environ.get("CI"):
            raise
        pytest.skip(f"no real Kafka: {reason}")
    try:
        yield found
    finally:
        found.close()


@pytest.fixture
def scene(kafka: Broker, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Scene]:
    """A scene of its own prefix; `request.param` is more configuration, as TOML."""
    prefix = request.node.name.replace("_", "-")[5:45].split("[")[0] + kafka.suffix
    scene = Scene(kafka, tmp_path, prefix, getattr(request, "param", ""))
    yield scene
    scene.close()
