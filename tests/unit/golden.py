"""The golden wire files: each is one message as it must stay readable for ever."""

from pathlib import Path

import msgspec

from schemas.messages import BY_TAG, Message

FOLDER = Path(__file__).parents[1] / "golden" / "wire"
FILES = sorted(FOLDER.glob("v*/*.json"))


def content(path: Path) -> bytes:
    return path.read_bytes().removesuffix(b"\n")


def message(path: Path) -> Message:
    """The message in a file, decoded as what its `type` says."""
    text = content(path)
    return msgspec.json.decode(text, type=BY_TAG[msgspec.json.decode(text)["type"]])


def named(name: str) -> Message:
    """The message in a file of version 1, as in `incident.full`."""
    return message(FOLDER / "v1" / f"{name}.json")
