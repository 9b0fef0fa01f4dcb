"""A study: what a scanner made and the AI may read. An upsert, the same study may come again."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from schemas.fields import Name, Priority, Seconds, Site, StudyKey, Text, Time, Values

StudyState = Literal["received", "stable", "complete", "cancelled"]


class Scanner(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The device, as DICOM names it. `station` is expected to be pseudonymised upstream."""

    manufacturer: Text | None = None
    """Who made it."""
    model: Text | None = None
    """The manufacturer's model name."""
    software: Text | None = None
    """Software version."""
    station: Text | None = None
    """Which one it is."""


class Patient(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What may be known of a patient here. `key` is a pseudonym and leaves the monitor nowhere."""

    key: Annotated[str, Meta(min_length=1, max_length=128)] | None = None
    """Pseudonym, so that one patient's many images are not taken as independent."""
    sex: Literal["F", "M", "O", "U"] | None = None
    """As DICOM: female, male, other, unknown."""
    age_years: Annotated[float, Meta(ge=0, le=150)] | None = None
    """90 means 90 or more."""


class Expectation(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A promise of the sender: this model will answer within so many seconds."""

    model: Name
    """The model that will answer."""
    deadline_s: Seconds
    """Seconds from the study being ready."""


class Study(
    Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="type", tag="radvigil.study.v1"
):
    """`at` is when the study became available to the AI; `modality` a DICOM code string."""

    site: Site
    """Where it happened; also the key of the message."""
    study: StudyKey
    """Opaque key of the study, pseudonymised upstream."""
    at: Time
    """When it became available to the AI."""
    modality: Annotated[str, Meta(min_length=1, max_length=16)]
    """DICOM code string, as in DX, CT, MR."""
    event_id: Name | None = None
    """Idempotency key: the same one again is the same event."""
    state: StudyState = "complete"
    """How far it has come."""
    priority: Priority = "routine"
    """How urgent it is."""
    body_part: Text | None = None
    """As in DICOM BodyPartExamined."""
    procedure: Text | None = None
    """What was ordered or performed."""
    view: Text | None = None
    """As in DICOM ViewPosition."""
    scanner: Scanner | None = None
    """The device that made it."""
    acquisition: Values | None = None
    """How it was made: kvp, pixel_mm, rows, kernel and the like."""
    patient: Patient | None = None
    """What may be known of the patient here."""
    attributes: Values | None = None
    """Anything else to be watched or matched."""
    expects: Annotated[list[Expectation], Meta(max_length=64)] | None = None
    """The models that will answer; overrides the configured rules."""
