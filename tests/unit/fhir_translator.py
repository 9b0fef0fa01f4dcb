"""A FHIR translator with keys of its own, and what it makes of messages."""

from collections.abc import Sequence
from copy import deepcopy
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from fhir.resources import get_fhir_model_class as r5_model
from fhir.resources.R4B import get_fhir_model_class as r4_model

from schemas.ingest import Code, Codes
from streams.ingest import Ingest, Translated
from streams.ingest.fhir import Translator
from streams.ingest.labeller import Labeller
from streams.ingest.links import Links
from streams.ingest.pseudonym import Pseudonyms, Secret
from tests.unit.fhir_samples import UID, of

KEYS = Pseudonyms(Secret(1, b"k" * 32))
STUDY = KEYS.key("study", UID)
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
VERSIONS = ("R4", "R5")
MODELS = {"R4": r4_model, "R5": r5_model}
LABELLER = Labeller()
both = pytest.mark.parametrize("version", VERSIONS)


def translator(codes: Sequence[Code] = (), **changes: Any) -> Translator:
    rows = Codes({(code.scheme, code.code): code for code in codes})
    ingest = Ingest("north", KEYS, Links(KEYS), rows, timezone="Europe/Berlin")
    return Translator(msgspec.structs.replace(ingest, **changes))


def valid(version: str, tree: dict[str, Any]) -> bytes:
    """The message, after the version's own model took it."""
    MODELS[version](tree["resourceType"]).model_validate(deepcopy(tree))
    return of(tree)


def found(content: bytes, by: Translator | None = None) -> list[Translated]:
    return list((by or translator()).translate(content, NOW))


def only(content: bytes, by: Translator | None = None) -> Any:
    (one,) = found(content, by)
    return one


def events(content: bytes, by: Translator | None = None) -> dict[str, Any]:
    return {type(one).__name__: one for one in found(content, by)}


def refs(kind: str, n: int, *, same: bool = False) -> list[dict[str, Any]]:
    return [{"reference": f"Observation/{kind}" + ("" if same else str(k))} for k in range(n)]
