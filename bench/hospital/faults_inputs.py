"""Faults of what the scanners send."""

from dataclasses import replace

from bench.hospital.exam import Exam
from bench.hospital.fault import Fault, of_scanner


def _kvp(exam: Exam) -> None:
    if exam.kvp is not None:
        exam.kvp = round(exam.kvp + 4, 1)


def _software(exam: Exam) -> None:
    exam.software = "VC10"
    exam.kernel = "Br36"


def _noisier(exam: Exam) -> None:
    exam.snr = round(exam.snr - 3, 2)


def _centimetres(exam: Exam) -> None:
    if exam.scanner.modality == "DX":
        exam.pixel_mm = round(exam.pixel_mm / 10, 5)


def _renamed(exam: Exam) -> None:
    if exam.view == "PA":
        exam.view = "PA ERECT"


def _replaced(exam: Exam) -> None:
    new = replace(exam.scanner, station="DX9", manufacturer="Dynamo", model="Nova", pixel_mm=0.125)
    exam.scanner, exam.software, exam.pixel_mm = new, "1.0", new.pixel_mm
    exam.snr = round(exam.snr + 3, 2)


def _ageless(exam: Exam) -> None:
    if exam.random.random() < 0.4:
        exam.age_years = None


def _children(exam: Exam) -> None:
    if exam.random.random() < 0.06:
        exam.age_years = float(exam.random.randint(6, 17))
        exam.patient += " child"


def _nothing_sent(exam: Exam) -> None:
    exam.is_sent = False


_STATION = (("silence", "*"), ("partial_silence", "*"), ("*", "scanner.*"))
INPUTS = (
    Fault("no study for 8 hours", _nothing_sent, _STATION[:2], 2, hours=8),
    Fault("DX1 sends nothing for 2 days", of_scanner(_nothing_sent, "DX1"), _STATION, 4, hours=48),
    Fault("DX2 is replaced by a new scanner", of_scanner(_replaced, "DX2"), _STATION, 10),
    Fault(
        "CT1 gets new software",
        of_scanner(_software, "CT1"),
        (("*", "scanner.software"), ("*", "acquisition.kernel")),
        10,
    ),
    Fault(
        "kVp of DX1 + 4",
        of_scanner(_kvp, "DX1"),
        (("input_drift", "acquisition.kvp"),),
        14,
        slice="scanner.station=DX1",
    ),
    Fault(
        "signal to noise of DX1 - 1 sd",
        of_scanner(_noisier, "DX1"),
        (("input_drift", "attributes.snr"),),
        14,
        slice="scanner.station=DX1",
    ),
    Fault("pixels of all DX in cm", _centimetres, (("*", "acquisition.pixel_mm"),), 7),
    Fault("the view PA is renamed", _renamed, (("*", "view"),), 7),
    Fault("age missing in 40 %", _ageless, (("*", "*patient.age_years"),), 10),
    Fault("6 % are children", _children, (("off_label", "*"),), 14),
)
