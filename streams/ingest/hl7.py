"""HL7 v2 as events: ORU reports, ORM and OMI orders; everything else is not of this kind.

A report's text goes to the labeller and no further. An order tells a study before its images come,
its priority, and that it was cancelled.
"""

import re
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, tzinfo
from itertools import islice
from typing import ClassVar
from zoneinfo import ZoneInfo

from msgspec import Struct

from schemas.fields import Priority
from schemas.report import Label, Report
from schemas.study import Patient, Study
from streams.ingest._contract import Ingest, Translated, Untranslated
from streams.ingest._hl7_message import Message, NotHl7, Segment, parse
from streams.ingest._hl7_status import is_withdrawn, status_of
from streams.ingest._hl7_time import moment, offset
from streams.ingest._labels import together

_PRIORITIES: dict[str, Priority] = {"S": "stat", "A": "urgent", "R": "routine"}
_ACCESSIONS = (3, 18, 2)  # of OBR: filler number, a free field that many use, placer number
_CANCELLED = frozenset({"CA", "OC", "CR", "DC", "OD"})  # ORC-1: asked for, or done
_ENDED = frozenset({"CA", "DC"})  # ORC-5
_TEXT = frozenset({"TX", "FT", "ST"})
_CODED = frozenset({"CE", "CWE", "CNE"})
_DOCUMENTS = frozenset({"ED", "RP"})  # in the message, or elsewhere: a PDF, most often
_CODE_STRING = re.compile(r"[A-Z0-9_ ]{1,16}")
_STUDY_UID = "113014"
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class _Common(Struct, frozen=True):
    """What the requests of one message share."""

    person: Segment
    study: Segment
    """A ZDS that is the only one, wherever it stands: all are steps of its study (IHE RAD-4)."""
    sent: str
    zone: tzinfo
    """Of times without an offset: that of MSH-7, else the site's."""
    received_at: datetime

    def at(self, written: str) -> datetime:
        """A time, else when the message was sent, else when it came."""
        told = (moment(one, self.zone) for one in (written, self.sent))
        return next(filter(None, told), self.received_at)


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
            yield from self._reports(message, self._common(message, received_at))
        elif kind in ("ORM", "OMI"):
            yield from self._orders(message, self._common(message, received_at))
        else:
            yield Untranslated("ignored" if kind == "ADT" else "not_of_this_kind", "MSH-9")

    def _common(self, message: Message, received_at: datetime) -> _Common:
        studies = list(islice(message.all("ZDS"), 2))
        sent = message.first("MSH").text(7)
        return _Common(
            person=message.first("PID"),
            study=studies[0] if len(studies) == 1 else Segment(message, ["ZDS"]),
            sent=sent,
            zone=offset(sent) or self._zone,
            received_at=received_at,
        )

    def _reports(self, message: Message, common: _Common) -> Iterator[Translated]:
        """One for each OBR; the OBX between two belong to the first."""
        parts = [part for part in message.requests() if part.first("OBR").fields[1:]]
        if not parts:
            yield Untranslated("missing_field", "OBR")
        for part in parts:
            if part.first("OBR").text(3, 2) == "RADVIGIL":  # `radvigil worklist` told it
                yield Untranslated("ignored", "OBR-3")
            else:
                yield from self._report(part, common)

    def _report(self, part: Message, common: _Common) -> Iterator[Translated]:
        request, observations = part.first("OBR"), list(part.all("OBX"))
        study = self._study_key(part, common)
        status = status_of(request, observations)
        if study is None:
            yield Untranslated("missing_field", "OBR-3")
            return
        if status is None:
            yield Untranslated("unsupported", "OBR-25")
            return
        standing = [one for one in observations if not is_withdrawn(one)]
        if self._ingest.labels is not None and any(o.text(2) in _DOCUMENTS for o in standing):
            yield Untranslated("unsupported", "OBX-2")
        reader = request.text(32, 1, 1)
        keys = self._ingest.pseudonyms
        yield Report(
            site=self._ingest.site,
            study=study,
            report=keys.key("report", request.text(3) or study),
            status=status,
            at=common.at(request.text(22)),
            reader=keys.short("reader", reader) if reader else None,
            labels=self._labels(standing),
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
        if self._ingest.labels is None:
            return together(found, ())
        text = "\n".join(o.whole(5) for o in observations if o.text(2) in _TEXT)
        return together(found, self._ingest.labels.label(text))

    def _orders(self, message: Message, common: _Common) -> Iterator[Translated]:
        """One for each study that is ordered."""
        told: set[str] = set()
        for part in list(message.requests()) or [message]:
            found = self._order(part, common)
            if not isinstance(found, Study):
                yield found
            elif found.study not in told:
                told.add(found.study)
                yield found

    def _order(self, part: Message, common: _Common) -> Translated:
        request, order = part.first("OBR"), part.first("ORC")
        study = self._study_key(part, common)
        modality = part.first("IPC").text(5) or request.text(24)
        if study is None:
            return Untranslated("missing_field", "OBR-3")
        if not _CODE_STRING.fullmatch(modality):
            return Untranslated("missing_field", "OBR-24")
        urgency = part.first("TQ1").text(9) or request.text(27, 6) or request.text(5)
        is_cancelled = order.text(1) in _CANCELLED or order.text(5) in _ENDED
        return Study(
            site=self._ingest.site,
            study=study,
            at=common.at(order.text(9)),
            modality=modality,
            state="cancelled" if is_cancelled else "received",
            priority=_PRIORITIES.get(urgency[:1].upper(), "routine"),
            procedure=_procedure(request),
            patient=self._patient(common.person),
        )

    def _patient(self, person: Segment) -> Patient:
        number, issuer = person.text(3), person.text(3, 4)
        sex = person.text(8)
        return Patient(
            key=self._ingest.pseudonyms.key("patient", number, issuer) if number else None,
            sex=sex if sex in ("F", "M", "O", "U") else None,  # type: ignore[arg-type]
        )

    def _study_key(self, part: Message, common: _Common) -> str | None:
        """By Study Instance UID where one is carried, else by accession number."""
        request = part.first("OBR")
        numbers = [
            (request.text(place), issuer)
            for place in _ACCESSIONS
            for issuer in ("", request.text(place, 2))
            if request.text(place)
        ]
        uids = (common.study.text(1), part.first("ZDS").text(1), part.first("IPC").text(3))
        named = (o.text(5) for o in part.all("OBX") if o.text(3) == _STUDY_UID)
        links = self._ingest.links
        for uid in (*uids, *named):
            if uid:
                return links.learn(uid, numbers[0][0] if numbers else None)
        known = (links.find(number, issuer) for number, issuer in numbers)
        found = next((key for key in known if key is not None), None)
        if found is None and numbers:
            return links.by_accession(numbers[0][0])
        return found


def messages(content: bytes) -> Iterator[bytes]:
    """The messages of a file, framed, in a batch, or one after the other; at least one."""
    content = content.removeprefix(_BYTE_ORDER_MARK)
    starts = [found.start() for found in re.finditer(rb"(?:\A|(?<=[\r\n\x0b\x1c]))MSH", content)]
    starts = starts or [0]
    for start, stop in zip(starts, [*starts[1:], len(content)], strict=True):
        yield content[start:stop]


def _procedure(request: Segment) -> str | None:
    code, scheme = request.text(4, 1), request.text(4, 3)
    told = f"{scheme}:{code}" if scheme else code
    return told if code and len(told) <= 49 and told.isascii() and told.isprintable() else None
