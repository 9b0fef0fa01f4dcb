"""Who is told that an AI result will not come, or came after all.

Secrets as everywhere: a `NAME_env` (an environment variable) or a `NAME_file` (a path). With a user
the token is that user's (HTTP basic); without one it is sent as a bearer token.
"""

from typing import Annotated

from msgspec import Meta, Struct

from schemas.fields import Name, Positive, Seconds, Site, Text
from schemas.outcome import OutcomeKind

_Field = Annotated[str, Meta(pattern=r"^[A-Za-z0-9 ._-]{1,64}(?!\n)$")]


class Told(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What every worklist has, whatever its kind."""

    name: Name
    """Of this section, and of its consumer group `<prefix>.worklist.NAME`."""
    outcomes: Annotated[tuple[OutcomeKind, ...], Meta(max_length=8)] = (
        "missing",
        "failed",
        "incomplete",
        "rejected",
    )
    """Which outcomes are told. What supersedes an earlier one, as a late result, is always told."""
    sites: list[Site] = []
    """Whose studies; all where none is named."""
    models: list[Name] = []
    """Which models; all where none is named."""
    keys_file: Text | None = None
    """File with the study of each key: `radvigil ingest` writes it, `radvigil worklist` reads it.
    Patient data, for their own user alone. Without it only keys are told."""
    key_system: Text = "urn:radvigil:study"
    """The system that names our keys, where they are told as identifiers."""
    timeout_s: Seconds = 10.0
    """How long an answer may take."""
    tries: Positive = 10
    """A notice that is answered with an error or not at all so often is given up and counted. While
    nobody can be reached at all it is tried on, until it is old."""
    old_s: Seconds = 86_400.0
    """A notice of an outcome that is so old is not told any more, and counted."""
    ca_file: Text | None = None
    """Certificates to trust, PEM, where the receiver's is not a public one's."""


class FhirWorklist(
    Told, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind", tag="fhir"
):
    """A FHIR server, R4 or R5: one Task for each study and model."""

    url: Text
    """Base address of the server, as `https://fhir.hospital.org/r4`."""
    chooses_ids: bool = False
    """Whether the server takes resources under an id that we choose: then there is never a second
    Task, not even when two requests overtake each other. Else Tasks are updated by identifier."""
    user_env: Text | None = None
    """Environment variable with the user."""
    user_file: Text | None = None
    """File with the user."""
    token_env: Text | None = None
    """Environment variable with the token or the password."""
    token_file: Text | None = None
    """File with it."""
    proxy: Text | None = None
    """Address of the proxy that leads to it; else that of the environment."""


class Hl7Worklist(
    Told, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind", tag="hl7"
):
    """A RIS, worklist or interface engine that takes HL7 v2 over MLLP: an ORU for each notice."""

    host: Text
    """Its name or address."""
    port: Annotated[int, Meta(ge=1, le=65535)]
    """Its port."""
    tls: bool = False
    """Whether it speaks TLS."""
    application: _Field = "WORKLIST"
    """MSH-5, who receives."""
    facility: _Field = "HOSPITAL"
    """MSH-6, where."""
    sender: _Field = "RADVIGIL"
    """MSH-3, who sends."""
    processing: Annotated[str, Meta(pattern=r"^[PTD](?!\n)$")] = "P"
    """MSH-11: production, training or debugging."""


Worklist = FhirWorklist | Hl7Worklist
