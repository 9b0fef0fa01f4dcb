"""A real Apache Kafka for tests: one KRaft node from the published jars, on free loopback ports."""

import fcntl
import os
import random
import shutil
import signal
import socket
import subprocess
import time
import uuid
from pathlib import Path
from zlib import crc32

from tests.integration.patience import SLOWER

KAFKA = "4.1.0"
JARS = Path(__file__).parents[2] / ".cache" / "kafka"
POM = f"""<project xmlns="http://maven.apache.org/POM/4.0.0">
<modelVersion>4.0.0</modelVersion><groupId>radvigil</groupId><artifactId>broker</artifactId>
<version>1</version><packaging>pom</packaging><dependencies><dependency>
<groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>{KAFKA}</version>
</dependency></dependencies></project>"""
PROPERTIES = """process.roles=broker,controller
node.id=1
controller.quorum.bootstrap.servers=127.0.0.1:{controller}
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
controller.listener.names=CONTROLLER
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT
log.dirs={data}
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=2000
auto.create.topics.enable=false
"""


JAVA = ("java", "-Xmx512m", "-XX:+UseSerialGC")
PORTS = os.environ.get("RADVIGIL_TEST_PORTS", "15000-29999")
"""From where ports are taken; suites that run beside each other have their own (Makefile)."""
_given: set[int] = set()


class Unavailable(Exception):
    """There is no broker to be had here; the message says what is missing."""


def jars() -> Path:
    """The folder with Kafka's jars; fetched once by Maven, or as `RADVIGIL_KAFKA_LIBS` says."""
    if given := os.environ.get("RADVIGIL_KAFKA_LIBS"):
        return Path(given)
    libs = JARS / f"libs-{KAFKA}"
    JARS.mkdir(parents=True, exist_ok=True)
    with (JARS / "lock").open("w") as lock:  # two suites may begin at the same time
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not libs.exists():
            _fetch(libs)
    return libs


def classes(libs: Path) -> Path:
    """Where Java keeps the classes of these jars as it has read and checked them, by what it is.

    The first broker that ends leaves them there; for others a start costs three quarters.
    """
    java = Path(shutil.which("java") or "").resolve()
    of = [f"{path} {path.stat().st_mtime_ns}" for path in (java, libs)]
    return JARS / f"classes-{crc32(repr(of).encode()):08x}.jsa"


def _fetch(libs: Path) -> None:
    if shutil.which("mvn") is None:
        raise Unavailable("Maven (mvn) is missing: it fetches Kafka's jars")
    fetched = JARS / f"fetching-{os.getpid()}"
    pom = JARS / "pom.xml"
    pom.write_text(POM)
    command = ["mvn", "-q", "-B", "-f", str(pom), "dependency:copy-dependencies"]
    command.append(f"-DoutputDirectory={fetched}")
    ran = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    if ran.returncode != 0:
        raise Unavailable("Maven could not fetch Kafka's jars: " + ran.stdout[-500:])
    fetched.replace(libs)


def free_port() -> int:
    """A port of the loopback interface that nobody uses now, given out only once.

    None of those that the system gives to outgoing connections: while a broker is away its clients
    try again and again, and one of them would sooner or later have got the broker's port itself.
    """
    first, last = map(int, PORTS.split("-"))
    while True:
        port = random.SystemRandom().randint(first, last)
        if port not in _given and _is_free(port):
            _given.add(port)
            return port


def _is_free(port: int) -> bool:
    with socket.socket() as listener:
        try:
            listener.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


class Kafka:
    """One broker, with a log directory that survives `stop` and `start`."""

    suffix = ""

    def __init__(self, folder: Path) -> None:
        if shutil.which("java") is None:
            raise Unavailable("Java is missing: Kafka runs on it")
        self._libs = jars()
        self._classes = classes(self._libs)
        self._written = self._classes.with_suffix(f".{uuid.uuid4().hex}")
        self._folder = folder
        self.port = free_port()
        self.bootstrap = f"127.0.0.1:{self.port}"
        self._config = folder / "server.properties"
        self._config.write_text(self._properties(self.port, free_port()))
        self._process: subprocess.Popen[bytes] | None = None
        self._format("--standalone", "-t", uuid.uuid4().hex[:22])

    def _properties(self, port: int, controller: int) -> str:
        return PROPERTIES.format(port=port, controller=controller, data=self._folder / "data")

    def _format(self, *arguments: str) -> None:
        self._java("kafka.tools.StorageTool", "format", *arguments)

    def _command(self, *arguments: str) -> list[str]:
        jars = ":".join(map(str, sorted(self._libs.glob("*.jar"))))
        return [*JAVA, "-cp", jars, *arguments]

    def _known(self) -> list[str]:
        return [f"-XX:SharedArchiveFile={self._classes}"] if self._classes.exists() else []

    def _java(self, main: str, *arguments: str) -> None:
        short = [*self._known(), "-XX:TieredStopAtLevel=1"]  # over before compiling well would pay
        command = [*self._command(*short, main, *arguments), "-c", str(self._config)]
        subprocess.run(command, check=True, capture_output=True, timeout=60 * SLOWER)

    def start(self) -> None:
        """Start and wait until it takes connections."""
        log = (self._folder / "kafka.log").open("ab")
        known = self._known() or [f"-XX:ArchiveClassesAtExit={self._written}"]
        command = self._command(*known, "kafka.Kafka", str(self._config))
        self._process = subprocess.Popen(command, stdout=log, stderr=log, cwd=self._folder)
        deadline = time.monotonic() + 60 * SLOWER
        while not self._accepts():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"Kafka did not start, see {self._folder / 'kafka.log'}")
            time.sleep(0.1)

    def _accepts(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def stop(self) -> None:
        """SIGTERM, and wait for the end."""
        if self._process is not None:
            self.resume()
            self._process.terminate()
            self._process.wait(60 * SLOWER)
            self._process = None
            if self._written.exists():  # the first of all that ended in peace
                self._written.replace(self._classes)

    def close(self) -> None:
        """The session is over."""
        self.stop()

    def pause(self) -> None:
        """Freeze it: connections stay open and nothing answers."""
        if self._process is not None:
            self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let a frozen broker go on."""
        if self._process is not None:
            self._process.send_signal(signal.SIGCONT)
