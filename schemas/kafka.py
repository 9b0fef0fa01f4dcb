"""How to reach the broker, and how the input topics come: part of the configuration."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from schemas.fields import Text


class Kafka(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Partitions of every topic, and how to reach the broker."""

    partitions: Annotated[int, Meta(ge=1, le=1000)] = 6
    """Of every topic; sites are spread over them, workers share them. Embedded there are four."""
    replication: Annotated[int, Meta(ge=1, le=15)] = 3
    """Copies of every topic; never more than there are brokers."""
    security: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = "PLAINTEXT"
    """How to talk to the broker."""
    mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = "SCRAM-SHA-512"
    """How to log in, for the SASL kinds of `security`."""
    username_env: Text | None = None
    """Environment variable with the SASL user."""
    username_file: Text | None = None
    """File with the SASL user."""
    password_env: Text | None = None
    """Environment variable with the SASL password."""
    password_file: Text | None = None
    """File with the SASL password."""
    ca_file: Text | None = None
    """Certificates to trust, PEM; the system's where not given."""
    cert_file: Text | None = None
    """Our own certificate, PEM, where the broker asks for one."""
    key_file: Text | None = None
    """The key of that certificate, PEM."""
    instance: Text | None = None
    """Static group membership: one name per deployment slot, so that a restart moves nothing."""


class Topic(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Settings of one input topic."""

    rekey: bool = False
    """Put a re-keying agent in front, for producers that cannot key by site."""


class Topics(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Settings of single input topics."""

    studies: Topic = Topic()
    """The topic of studies."""
    predictions: Topic = Topic()
    """The topic of predictions."""
    reports: Topic = Topic()
    """The topic of reports."""
    commands: Topic = Topic()
    """The topic of commands."""
