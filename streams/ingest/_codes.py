"""Coded concepts of any standard as ours. What stands here is public; a site adds its own rows."""

import re
from collections.abc import Sequence
from typing import NamedTuple

from schemas.ingest import Code, Codes
from streams.ingest._contract import Untranslated

_ICD10 = re.compile(r"[A-Z]\d[0-9A-Z](?:\.[0-9A-Z]{1,4})?")
_PUBLIC = {  # how their codes look: anything else under their name is told nowhere
    "SCT": re.compile(r"[1-9]\d{5,17}"),
    "SRT": re.compile(r"[A-Z]{1,2}-[0-9A-F]{4,6}"),
    "LN": re.compile(r"(?:LA|LP)?\d{1,7}-\d"),
    "DCM": re.compile(r"\d{6}"),
    "RADLEX": re.compile(r"RID\d{1,6}"),
    "CPT": re.compile(r"\d{4}[0-9A-Z]"),
    "I10": _ICD10,
    "I10C": _ICD10,
    "IBSI": re.compile(r"[0-9A-Z]{4}"),
    "NCIt": re.compile(r"C\d{4,7}"),
    "UMLS": re.compile(r"C\d{7}"),
}
_LOCAL = re.compile(r"[A-Za-z0-9._-]{1,32}")
_FINDINGS = {
    ("SCT", "36118008"): "pneumothorax",
    ("SCT", "60046008"): "pleural_effusion",
    ("SCT", "233604007"): "pneumonia",
    ("SCT", "46621007"): "atelectasis",
    ("SCT", "8186001"): "cardiomegaly",
    ("SCT", "19242006"): "edema",
    ("SCT", "95436008"): "consolidation",
    ("SCT", "125605004"): "fracture",
    ("SCT", "1386000"): "intracranial_hemorrhage",
    ("SCT", "59282003"): "pulmonary_embolism",
    ("SCT", "27925004"): "nodule",
    ("SCT", "4147007"): "mass",
    ("SCT", "129769006"): "calcification_cluster",
}
# "A finding": which one, its value says.
_ANY_FINDING = frozenset({("DCM", "121071"), ("SCT", "404684003"), ("LN", "59776-5")})
_PROBABILITY = frozenset({("DCM", "122157"), ("DCM", "111012"), ("DCM", "111047")})
_YES = frozenset(
    {("SCT", code) for code in ("52101004", "10828004", "260373001", "373066001", "410515003")}
    | {("LN", code) for code in ("LA9633-4", "LA6576-8", "LA11882-0", "LA33-6")}
)
_NO = frozenset(
    {("SCT", code) for code in ("2667000", "260385009", "260415000", "373067005", "410516002")}
    | {("LN", code) for code in ("LA9634-2", "LA6577-6", "LA11883-8", "LA32-8")}
)
_INTERPRETATION = "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation"
_INTERPRETED = {"POS": True, "DET": True, "NEG": False, "ND": False}


class Coding(NamedTuple):
    """A code, its scheme by our name where we have one, and its system as written."""

    scheme: str
    code: str
    system: str

    @property
    def pair(self) -> tuple[str, str]:
        """Scheme and code."""
        return self.scheme, self.code


class Meaning:
    """What the codings of one concept mean here: the site's rows first, then the built-in ones."""

    def __init__(self, codes: Codes, codings: Sequence[Coding], where: str) -> None:
        self._codes = codes
        self._where = where
        self.codings = codings
        self.row = next((row for row in map(self._row, self.codings) if row is not None), None)

    @property
    def finding(self) -> str | None:
        """The finding that it names."""
        if self.row is not None:
            return self.row.finding
        return next((_FINDINGS[c.pair] for c in self.codings if c.pair in _FINDINGS), None)

    @property
    def means(self) -> str | None:
        """What the site says that a value under it is."""
        return None if self.row is None else self.row.means

    @property
    def is_any_finding(self) -> bool:
        """Whether its value names the finding."""
        return self.row is None and any(c.pair in _ANY_FINDING for c in self.codings)

    @property
    def is_probability(self) -> bool:
        """Whether it is the certainty of the finding that it stands with."""
        if self.row is not None:
            return self.row.means == "score" and self.row.finding is None
        return any(c.pair in _PROBABILITY for c in self.codings)

    @property
    def call(self) -> bool | None:
        """Yes or no, where it is one of the codes for that."""
        return next(filter(lambda said: said is not None, map(_call, self.codings)), None)

    @property
    def unknown(self) -> Untranslated:
        """That nobody has mapped it. The code is told only where it cannot be a person's."""
        tellable = (c for c in self.codings if is_known(c, self._codes))
        told = next((f"{c.scheme} {c.code}" for c in tellable), None)
        return Untranslated("unknown_code", self._where, told)

    def _row(self, coding: Coding) -> Code | None:
        return self._codes.find(*coding.pair) or self._codes.find(coding.system, coding.code)


def is_known(coding: Coding, codes: Codes) -> bool:
    """Whether it is of a public scheme and looks it, or of one that the site itself maps."""
    public = _PUBLIC.get(coding.scheme)
    if public is not None:
        return public.fullmatch(coding.code) is not None
    return coding.scheme in codes.schemes and _LOCAL.fullmatch(coding.code) is not None


def _call(coding: Coding) -> bool | None:
    if coding.pair in _YES:
        return True
    if coding.pair in _NO:
        return False
    return _INTERPRETED.get(coding.code) if coding.system == _INTERPRETATION else None
