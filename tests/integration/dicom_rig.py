"""Independent DICOM programs on loopback: dcmtk's, as Debian has them, and an Orthanc."""

import json
import os
import shutil
import socket
import ssl
import subprocess
import threading
import time
import urllib.error
import urllib.request
from base64 import b64encode
from contextlib import suppress
from pathlib import Path

import pytest

from tests.integration.kafka_rig import free_port
from tests.integration.patience import ANSWER_S, SLOWER
from tests.unit import sr_files

DIGITAL_RADIOGRAPH = "1.2.840.10008.5.1.4.1.1.1.1"
ROOT_UID = "1.2.826.0.1.3680043.10.1561"
DICOMWEB = Path("/usr/share/orthanc/plugins/libOrthancDicomWeb.so")
ORTHANC_USER, ORTHANC_PASSWORD = "reader", "planted-password"
_DUMP = """(0008,0016) UI [{sop_class}]
(0008,0018) UI [{study}.1.{number}]
(0008,0020) DA [{today}]
(0008,0030) TM [081500]
(0008,0050) SH [PLANTEDACC{study_number}]
(0008,0060) CS [DX]
(0008,0070) LO [Acme]
(0008,0080) LO [Planted Hospital]
(0008,0090) PN [Planteddoctor^D]
(0008,1010) SH [PLANTEDROOM]
(0008,1030) LO [Planted description]
(0008,1090) LO [Definium 8000]
(0010,0010) PN [Plantedname^Petra]
(0010,0020) LO [PLANTED-4711]
(0010,0030) DA [19480229]
(0010,0040) CS [F]
(0010,1010) AS [078Y]
(0018,0015) CS [CHEST]
(0018,1020) LO [3.1]
(0018,5101) CS [PA]
(0020,000d) UI [{study}]
(0020,000e) UI [{study}.1]
(0028,0002) US 1
(0028,0004) CS [MONOCHROME2]
(0028,0010) US {side}
(0028,0011) US {side}
(0028,0100) US 16
(0028,0101) US 12
(0028,0102) US 11
(0028,0103) US 0
(7fe0,0010) OW ={pixels}
"""


def need(*programs: str | Path) -> None:
    """Skip where a program or a file is missing; fail in CI, which installs them."""
    missing = [str(name) for name in programs if not _is_there(name)]
    if missing:
        if os.environ.get("CI"):
            raise FileNotFoundError(f"CI has {', '.join(missing)}")
        pytest.skip(f"not installed: {', '.join(missing)} (Debian: dcmtk, orthanc-dicomweb)")


def _is_there(wanted: str | Path) -> bool:
    return wanted.exists() if isinstance(wanted, Path) else _which(wanted) is not None


def _which(name: str) -> str | None:
    return shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin")


def dcmtk(program: str, *arguments: str | Path, seconds: float = 30 * SLOWER) -> int:
    """Run one of its programs; its exit status."""
    command = [program, *map(str, arguments)]
    ran = subprocess.run(command, capture_output=True, timeout=seconds, check=False)
    return ran.returncode


def study_uid(number: int) -> str:
    return f"{ROOT_UID}.{number}"


def radiograph(folder: Path, study: int, number: int, side: int = 64) -> Path:
    """An image of a study, made by dump2dcm."""
    folder.mkdir(exist_ok=True)
    pixels = folder / f"{side}.raw"
    pixels.write_bytes(os.urandom(side * side * 2))
    dump = folder / f"{study}-{number}.dump"
    dump.write_text(
        _DUMP.format(
            sop_class=DIGITAL_RADIOGRAPH,
            study=study_uid(study),
            study_number=study,
            number=number,
            side=side,
            today=time.strftime("%Y%m%d"),
            pixels=pixels,
        )
    )
    made = folder / f"{study}-{number}.dcm"
    assert dcmtk("dump2dcm", "--write-xfer-little", dump, made) == 0
    return made


def result(folder: Path, study: int, score: float) -> Path:
    """What a model says of a study, as a structured report of TID 1500."""
    folder.mkdir(exist_ok=True)
    score_of_it = sr_files.num(sr_files.PROBABILITY, score)
    made = folder / f"{study}-sr.dcm"
    made.write_bytes(
        sr_files.report(
            sr_files.group(sr_files.PNEUMOTHORAX, score_of_it),
            StudyInstanceUID=study_uid(study),
            SOPInstanceUID=f"{study_uid(study)}.9.1",
            SeriesInstanceUID=f"{study_uid(study)}.9",
        )
    )
    return made


def certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate for localhost and its key, made by openssl."""
    cert, key = folder / "cert.pem", folder / "key.pem"
    subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
    made = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
    files = ["-keyout", str(key), "-out", str(cert)]
    subprocess.run(["openssl", *made, *subject, *files], check=True, capture_output=True)
    return cert, key


class Orthanc:
    """One on free loopback ports, with a password; its data stay between stop and start."""

    def __init__(self, folder: Path, *plugins: Path) -> None:
        self.port, self.dicom_port = free_port(), free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        settings = {
            "HttpPort": self.port,
            "DicomPort": self.dicom_port,
            "DicomAet": "ORTHANC",
            "DicomCheckCalledAet": True,
            "RemoteAccessAllowed": False,
            "AuthenticationEnabled": True,
            "RegisteredUsers": {ORTHANC_USER: ORTHANC_PASSWORD},
            "StorageDirectory": str(folder / "orthanc"),
            "IndexDirectory": str(folder / "orthanc"),
            "StableAge": 1,
            "Plugins": [str(plugin) for plugin in plugins],
        }
        self._config = folder / "orthanc.json"
        self._config.write_text(json.dumps(settings))

    def start(self) -> None:
        """Start it and wait until both its ports take connections."""
        command = [_which("Orthanc") or "Orthanc", str(self._config)]
        log = (self._folder / "orthanc.log").open("ab")
        self._process = subprocess.Popen(command, stdout=log, stderr=log, cwd=self._folder)
        deadline_s = time.monotonic() + 30 * SLOWER
        while not (_accepts(self.port) and _accepts(self.dicom_port)):
            if self._process.poll() is not None or time.monotonic() > deadline_s:
                raise RuntimeError(f"Orthanc did not start, see {self._folder / 'orthanc.log'}")
            time.sleep(0.05)

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(30 * SLOWER)
            self._process = None

    def close(self) -> None:
        """Its data are of no use to anybody."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def stable_n(self) -> int:
        """How often it has said that a study is stable."""
        request = urllib.request.Request(f"{self.url}/changes?since=0&limit=1000")
        told = b64encode(f"{ORTHANC_USER}:{ORTHANC_PASSWORD}".encode()).decode()
        request.add_header("Authorization", f"Basic {told}")
        with urllib.request.urlopen(request, timeout=ANSWER_S) as answer:
            changes = json.load(answer)["Changes"]
        return sum(change["ChangeType"] == "StableStudy" for change in changes)


def _accepts(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


class Way:
    """A way to a port, for one connection after the other.

    It breaks off after so many bytes from the sender, or takes TLS off, as a front server does.
    """

    def __init__(
        self, port: int, after_bytes: int = 1 << 40, tls: tuple[Path, Path] | None = None
    ) -> None:
        self._to = port
        self._after_bytes = after_bytes
        self._tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH) if tls else None
        if tls and self._tls:
            self._tls.load_cert_chain(*tls)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(0.2)
        self.port = int(self._listener.getsockname()[1])
        self._is_open = True
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._is_open = False
        self._thread.join(10)
        self._listener.close()

    def _run(self) -> None:
        while self._is_open:
            with suppress(OSError):  # nobody yet, or a handshake that fails
                self._carry(self._listener.accept()[0])

    def _carry(self, caller: socket.socket) -> None:
        caller.settimeout(10)
        sender = caller if self._tls is None else self._tls.wrap_socket(caller, server_side=True)
        with sender, socket.create_connection(("127.0.0.1", self._to)) as receiver:
            back = threading.Thread(target=_pump, args=(receiver, sender, 1 << 40))
            back.start()
            _pump(sender, receiver, self._after_bytes)
            for end in (receiver, sender):
                with suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)
            back.join(10)


def _pump(source: socket.socket, target: socket.socket, left: int) -> None:
    with suppress(OSError):
        while left > 0 and (chunk := source.recv(min(left, 1 << 14))):
            target.sendall(chunk)
            left -= len(chunk)
