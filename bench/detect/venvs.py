"""Each peer in a virtual environment of its own, made when it is first asked for.

The folder is .cache/peers of the repository (RADVIGIL_PEERS names another). One that cannot be made
is no error: the rows of that peer are left out, and the reason is told.
"""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

PINS: dict[str, tuple[str, ...]] = {
    "river": ("river==0.23.0", "typing_extensions", "numpy"),
    "alibi_detect": ("alibi-detect==0.13.0",),
    "evidently": ("evidently==0.7.23", "pandas<3"),
    "nannyml": (
        "nannyml==0.13.1",
        "statsmodels",
        "pandas<2.3",
        "numpy<2",
        "scikit-learn>=1.6,<1.7",
    ),
}
"""What worked together; the tables name the versions that they were made with."""

_FOLDER = Path(os.environ.get("RADVIGIL_PEERS", Path(__file__).parents[2] / ".cache" / "peers"))
_SCRIPTS = Path(__file__).parent / "peers"
_QUIET = {"DO_NOT_TRACK": "1", "NML_DISABLE_USAGE_LOGGING": "1", "TF_CPP_MIN_LOG_LEVEL": "3"}
_INSTALL_S = 1_800
_refused: dict[str, str] = {}


class Absent(Exception):
    """A peer that cannot be asked, and why."""


def ask(peer: str, job: dict[str, Any], **arrays: "np.ndarray[Any, Any]") -> Any:
    """What the peer's script answers, as JSON, to a job and the arrays it works on; Absent."""
    python = _python(peer)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "arrays.npz"
        np.savez(path, allow_pickle=False, **arrays)
        command = [str(python), str(_SCRIPTS / f"ask_{peer}.py"), str(path), json.dumps(job)]
        done = subprocess.run(
            command, capture_output=True, text=True, env=os.environ | _QUIET, check=False
        )
    if done.returncode:
        raise Absent(f"{peer} failed: {_last_line(done.stderr)}")
    return json.loads(done.stdout.splitlines()[-1])


def _python(peer: str) -> Path:
    """Its interpreter; what was refused once is not tried again."""
    if peer in _refused:
        raise Absent(_refused[peer])
    try:
        return _made(peer)
    except Absent as reason:
        _refused[peer] = str(reason)
        raise


def _made(peer: str) -> Path:
    folder = _FOLDER / peer
    python, made = folder / "bin" / "python", folder / "made"
    if made.exists():
        return python
    print(f"installing {peer} into {folder}, once; minutes", file=sys.stderr, flush=True)
    _run(peer, [sys.executable, "-m", "venv", "--clear", str(folder)])
    _run(peer, [str(python), "-m", "pip", "install", "--quiet", *PINS[peer]])
    made.write_text("\n".join(PINS[peer]))
    return python


def _run(peer: str, command: Sequence[str]) -> None:
    try:
        subprocess.run(command, capture_output=True, text=True, timeout=_INSTALL_S, check=True)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Absent(f"{peer} cannot be installed: {type(error).__name__}") from error
    except subprocess.CalledProcessError as error:
        raise Absent(f"{peer} cannot be installed: {_last_line(error.stderr)}") from error


def _last_line(text: str) -> str:
    lines = text.strip().splitlines()
    return lines[-1][:200] if lines else "it says nothing"
