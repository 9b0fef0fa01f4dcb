"""A study: what a scanner made and the AI may read. An upsert, the same study may come again."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from schemas.fields import Name, Priority, Seconds, Site, StudyKey, Text, Time, Values

StudyState = Literal["received", "stable", "complete", "cancelled"]


class Scanner(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The device, as DICOM names it. `station` is expected to be pseudonymised upstream."""

    manufacturer: Text | None = None
    model: Text | None = None
    software: Text | None = None
    station: Text | None = None


class Patient(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What may be known of a patient here. `key` is a pseudonym and leaves the monitor nowhere."""

    key: Annotated[str, Meta(min_length=1, max_length=128)] | None = None
    sex: Literal["F", "M", "O", "U"] | None = None
    age_years: Annotated[float, Meta(ge=0, le=150)] | None = None


class Expectation(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A promise of the sender: this model will answer within so many seconds."""

    model: Name
    deadline_s: Seconds


class Study(
    Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="type", tag="radvigil.study.v1"
):
    """`at` is when the study became available to the AI; `modality` a DICOM code string."""

    site: Site
    study: StudyKey
    at: Time
    modality: Annotated[str, Meta(min_length=1, max_length=16)]
    event_id: Name | None = None
    state: StudyState = "complete"
    priority: Priority = "routine"
    body_part: Text | None = None
    procedure: Text | None = None
    view: Text | None = None
    scanner: Scanner | None = None
    acquisition: Values | None = None
    patient: Patient | None = None
    attributes: Values | None = None
    expects: Annotated[list[Expectation], Meta(max_length=64)] | None = None
