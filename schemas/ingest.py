"""How hospital standards are translated: the pseudonym secret, and the codes of the site."""

from functools import cached_property
from typing import Annotated, Literal

from msgspec import Meta, Struct

from schemas.fields import Name, Site, Text


class Code(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a code of a standard means here: one row."""

    code: Name
    """The code, as `113017`."""
    scheme: Name
    """Its coding scheme, as `DCM`, `SCT`, `LN` or the site's own."""
    finding: Name | None = None
    """The finding that it names."""
    means: Literal["positive", "negative", "score", "value", "ignored"] | None = None
    """What a value under it says: a call, a probability, another number, nothing."""


class Codes(Struct, frozen=True, dict=True):
    """The site's rows by scheme and code; looked at before the built-in ones."""

    rows: dict[tuple[str, str], Code] = {}

    def find(self, scheme: str, code: str) -> Code | None:
        """The site's row for a code."""
        return self.rows.get((scheme, code))

    @cached_property
    def schemes(self) -> frozenset[str]:
        """The coding schemes that the site maps a code of."""
        return frozenset(scheme for scheme, _ in self.rows)


class DeclaredModel(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which model an algorithm is, by the name that its results declare: one row."""

    declared: Name
    """Algorithm name, else device or model name, as the results have it; letter case is nothing."""
    manufacturer: Text | None = None
    """Only where the results name this manufacturer."""
    name: Name
    """The model, as `[[model]]` and other feeds name it."""
    version: Name | None = None
    """Its version, where the results declare none."""


class Models(Struct, frozen=True):
    """The site's names for what results declare; the first row that fits counts."""

    rows: tuple[DeclaredModel, ...] = ()
    names: tuple[str, ...] = ()
    """Of all models of the deployment: results may declare these themselves."""

    def find(self, declared: str, manufacturer: str | None) -> DeclaredModel | None:
        """The row of an algorithm, device or code that results name."""
        told = (declared.casefold(), (manufacturer or "").casefold())
        for row in self.rows:
            wanted = told[1] if row.manufacturer is None else row.manufacturer.casefold()
            if (row.declared.casefold(), wanted) == told:
                return row
        return None

    def configured(self, declared: str) -> str | None:
        """The model of the deployment that has this name, in whatever letter case."""
        return next((n for n in self.names if n.casefold() == declared.casefold()), None)


class IngestServer(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The server that `radvigil ingest orthanc` and `dicomweb` read: as whom, and whom to trust."""

    username_env: Text | None = None
    """Environment variable with the user name, where the server wants one (HTTP Basic)."""
    username_file: Text | None = None
    """File with the user name."""
    password_env: Text | None = None
    """Environment variable with the password."""
    password_file: Text | None = None
    """File with the password."""
    ca_file: Text | None = None
    """Certificates to trust, PEM; else those of the system."""


class IngestSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Translation of DICOM, structured reports, HL7 v2 and FHIR to events."""

    site: Site | None = None
    """Whose data; `--site` overrides it."""
    key_env: Text | None = None
    """Environment variable with the pseudonym secret: base64 of 16 bytes or more."""
    key_file: Text | None = None
    """File with the pseudonym secret; made, with a loud note, where it does not exist."""
    epoch: Annotated[int, Meta(ge=1, le=999)] = 1
    """Counted up when the secret is replaced; part of every key, as in `h1:`."""
    previous_key_env: Text | None = None
    """Environment variable with the secret before, while studies of its time are under way."""
    previous_key_file: Text | None = None
    """File with the secret before."""
    links_file: Text | None = None
    """File by which services and later runs know which accession number is which study, as keys."""
    server: IngestServer = IngestServer()
    """The server that is read."""
    codes: Annotated[list[Code], Meta(max_length=10_000)] = []
    """What codes mean here."""
    models: Annotated[list[DeclaredModel], Meta(max_length=1_000)] = []
    """Which model is meant, where results declare another name than yours."""
    lexicons: Annotated[list[Text], Meta(max_length=64)] = []
    """Lexicon files of the report labeller, beside the built-in English one."""
    stable_s: Annotated[float, Meta(gt=0, le=86_400)] = 60
    """A study that received nothing for so long is complete, until something comes after all."""
    answer_s: Annotated[float, Meta(gt=0, le=600)] = 20
    """A sender is answered within so long; what Kafka has not by then is refused, to come again."""
