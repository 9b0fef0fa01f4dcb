"""HL7 v2 as events: ORU reports, ORM and OMI orders; everything else is not of this kind.

A report's text goes to the labeller and no further. An order tells a study before its images come,
its priority, and that it was cancelled.
"""

import re
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone, tzinfo
from typing import ClassVar
from zoneinfo import ZoneInfo

from schemas.fields import EARLIEST_YEAR, LATEST_YEAR, Priority
from schemas.report import Label, Report, ReportStatus
from schemas.study import Patient, Study
from streams.ingest._contract import Ingest, Translated, Untranslated
from streams.ingest._hl7_message import Message, NotHl7, Segment, parse

# Table 0123, to FHIR's words (v2-to-FHIR).
STATUSES: dict[str, ReportStatus] = {
    "O": "registered",
    "I": "registered",
    "S": "registered",
    "A": "partial",
    "P": "preliminary",
    "R": "final",
    "F": "final",
    "C": "corrected",
    "X": "cancelled",
}
_PRIORITIES: dict[str, Priority] = {"S": "stat", "A": "urgent", "R": "routine"}
_ACCESSIONS = (3, 18, 2)  # of OBR: filler number, a free field that many use, placer number
_CANCELLED = frozenset({"CA", "OC", "CR", "DC", "OD"})
_TEXT = frozenset({"TX", "FT", "ST"})
_CODED = frozenset({"CE", "CWE", "CNE"})
_CODE_STRING = re.compile(r"[A-Z0-9_ ]{1,16}")
_TIME = re.compile(r"(\d{4})(\d{2})(\d{2})(\d{2})?(\d{2})?(\d{2})?(?:\.(\d+))?([+-]\d{4})?")
_STUDY_UID = "113014"


class Translator:
    """See streams.ingest.Translator."""

    kind: ClassVar[str] = "hl7"

    def __init__(self, ingest: Ingest) -> None:
        self._ingest = ingest
        self._zone = ZoneInfo(ingest.timezone)
        self.dropped: Counter[str] = Counter()

    def translate(self, content: bytes, received_at: datetime) -> Iterator[Translated]:
        """The events of all messages of a file, or of the one that came."""
        for one in messages(content):
            yield from self.message(one, received_at)

    def message(self, content: bytes, received_at: datetime) -> Iterator[Translated]:
        """The events of one message."""
        try:
            message = parse(content)
        except NotHl7 as error:
            yield Untranslated(error.reason, error.where)
            return
        kind = message.first("MSH").text(9)
        if kind == "ORU":
            yield from self._reports(message, received_at)
        elif kind in ("ORM", "OMI"):
            yield from self._order(message, received_at)
        else:
            yield Untranslated("ignored" if kind == "ADT" else "not_of_this_kind", "MSH-9")

    def _reports(self, message: Message, received_at: datetime) -> Iterator[Translated]:
        """One for each OBR; the OBX between two belong to the first."""
        groups = list(_groups(message))
        if not groups:
            yield Untranslated("missing_field", "OBR")
        for request, observations in groups:
            if request.text(3, 2) == "RADVIGIL":  # what `radvigil worklist` told comes round
                yield Untranslated("ignored", "OBR-3")
            else:
                yield self._report(message, request, observations, received_at)

    def _report(
        self,
        message: Message,
        request: Segment,
        observations: list[Segment],
        received_at: datetime,
    ) -> Translated:
        study = self._study_key(message, request, observations)
        if study is None:
            return Untranslated("missing_field", "OBR-3")
        status = _status(request, observations)
        if status is None:
            return Untranslated("unsupported", "OBR-25")
        reader = request.text(32, 1, 1)
        keys = self._ingest.pseudonyms
        at = self._time(request.text(22)) or self._time(message.first("MSH").text(7))
        return Report(
            site=self._ingest.site,
            study=study,
            report=keys.key("report", request.text(3) or study),
            status=status,
            at=at or received_at,
            reader=keys.short("reader", reader) if reader else None,
            labels=self._labels(observations),
        )

    def _labels(self, observations: list[Segment]) -> list[Label] | None:
        """Of coded observations that the site has mapped, and of the text by the labeller."""
        found: dict[str, Label] = {}
        for observation in observations:
            if observation.text(2) in _CODED:
                row = self._ingest.codes.find(observation.text(5, 3), observation.text(5, 1))
                if row is not None and row.finding and row.means in ("positive", "negative"):
                    value = "present" if row.means == "positive" else "absent"
                    found[row.finding] = Label(finding=row.finding, value=value)  # type: ignore[arg-type]
        if self._ingest.labels is not None:
            text = "\n".join(o.whole(5) for o in observations if o.text(2) in _TEXT)
            for label in self._ingest.labels.label(text):
                found.setdefault(label.finding, label)
        return list(found.values())[:64] or None

    def _order(self, message: Message, received_at: datetime) -> Iterator[Translated]:
        request, order = message.first("OBR"), message.first("ORC")
        study = self._study_key(message, request, [])
        modality = message.first("IPC").text(5) or request.text(24)
        if study is None:
            yield Untranslated("missing_field", "OBR-3")
        elif not _CODE_STRING.fullmatch(modality):
            yield Untranslated("missing_field", "OBR-24")
        else:
            urgency = message.first("TQ1").text(9) or request.text(27, 6) or request.text(5)
            yield Study(
                site=self._ingest.site,
                study=study,
                at=self._time(order.text(9)) or received_at,
                modality=modality,
                state="cancelled" if order.text(1) in _CANCELLED else "received",
                priority=_PRIORITIES.get(urgency[:1].upper(), "routine"),
                procedure=_procedure(request),
                patient=self._patient(message.first("PID")),
            )

    def _patient(self, person: Segment) -> Patient:
        number, issuer = person.text(3), person.text(3, 4)
        sex = person.text(8)
        return Patient(
            key=self._ingest.pseudonyms.key("patient", number, issuer) if number else None,
            sex=sex if sex in ("F", "M", "O", "U") else None,  # type: ignore[arg-type]
        )

    def _study_key(
        self, message: Message, request: Segment, observations: list[Segment]
    ) -> str | None:
        """By Study Instance UID where one is carried, else by accession number."""
        numbers = [
            (request.text(place), issuer)
            for place in _ACCESSIONS
            for issuer in ("", request.text(place, 2))
            if request.text(place)
        ]
        uids = (message.first("ZDS").text(1), message.first("IPC").text(3))
        named = (o.text(5) for o in observations if o.text(3) == _STUDY_UID)
        links = self._ingest.links
        for uid in (*uids, *named):
            if uid:
                return links.learn(uid, numbers[0][0] if numbers else None)
        known = (links.find(number, issuer) for number, issuer in numbers)
        found = next((key for key in known if key is not None), None)
        if found is None and numbers:
            return links.by_accession(numbers[0][0])
        return found

    def _time(self, written: str) -> datetime | None:
        return moment(written, self._zone)


def messages(content: bytes) -> Iterator[bytes]:
    """The messages of a file, framed or one after the other; at least one."""
    starts = [found.start() for found in re.finditer(rb"(?:\A|(?<=[\r\n\x0b\x1c]))MSH", content)]
    if len(starts) < 2:
        yield content
        return
    for start, stop in zip(starts, [*starts[1:], len(content)], strict=True):
        yield content[start:stop]


def moment(written: str, zone: tzinfo) -> datetime | None:
    """A TS or DTM value, aware; None where it is not one.

    >>> moment("20260105081500+0100", ZoneInfo("UTC")).isoformat()
    '2026-01-05T08:15:00+01:00'
    """
    found = _TIME.fullmatch(written)
    if found is None:
        return None
    year, month, day, hour, minute, second, fraction, offset = found.groups()
    own = zone
    if offset:
        shift = timedelta(hours=int(offset[1:3]), minutes=int(offset[3:5]))
        if shift > timedelta(hours=14):
            return None
        own = timezone(-shift if offset[0] == "-" else shift)
    micros = int((fraction or "0")[:6].ljust(6, "0"))
    if not EARLIEST_YEAR < int(year) < LATEST_YEAR:
        return None
    try:
        at = datetime(int(year), int(month), int(day), int(hour or 0), int(minute or 0), tzinfo=own)
        return at.replace(second=min(int(second or 0), 59), microsecond=micros)
    except ValueError:
        return None


def _groups(message: Message) -> Iterator[tuple[Segment, list[Segment]]]:
    request: Segment | None = None
    observations: list[Segment] = []
    for fields in message.segments:
        if fields[0] == "OBR":
            if request is not None:
                yield request, observations
            request, observations = Segment(message, fields), []
        elif fields[0] == "OBX":
            observations.append(Segment(message, fields))
    if request is not None:
        yield request, observations


def _status(request: Segment, observations: list[Segment]) -> ReportStatus | None:
    written = request.text(25)
    if not written and observations:  # older senders: the observations' own status, table 0085
        written = observations[0].text(11)
    return STATUSES.get(written)


def _procedure(request: Segment) -> str | None:
    code, scheme = request.text(4, 1), request.text(4, 3)
    told = f"{scheme}:{code}" if scheme else code
    return told if code and len(told) <= 49 and told.isascii() and told.isprintable() else None
