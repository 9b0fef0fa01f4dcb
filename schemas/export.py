"""The published contract as files: JSON Schemas of the wire types, and AsyncAPI of the topics."""

import json
from pathlib import Path
from typing import Any

from schemas import asyncapi, json_schema
from schemas.messages import MESSAGES, tag


def documents() -> dict[str, dict[str, Any]]:
    """Every document by its file name."""
    schemas = {f"{tag(message)}.schema.json": json_schema.document(message) for message in MESSAGES}
    return schemas | {"asyncapi.json": asyncapi.document()}


def write(directory: str | Path) -> list[Path]:
    """Write all documents, the same bytes each time; the directory is made if it is missing."""
    folder = Path(directory)
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name, document in documents().items():
        path = folder / name
        path.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        written.append(path)
    return written
