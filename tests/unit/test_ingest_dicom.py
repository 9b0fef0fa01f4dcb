"""DICOM headers as studies: what is carried, what is not, and what no file can do."""

from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from schemas.decoding import decode_event, encode
from schemas.ingest import Codes
from schemas.study import Study
from streams.ingest import Ingest, Untranslated
from streams.ingest.assembly import Assembly
from streams.ingest.dicom import Instance, Translator
from streams.ingest.links import Links
from streams.ingest.pseudonym import Pseudonyms, Secret
from tests.unit.dicom_files import PLANTED, image, written

KEYS = Pseudonyms(Secret(1, b"k" * 32))
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
IMAGE = image()


def translator(stamps: Any = "header") -> Translator:
    ingest = Ingest("north", KEYS, Links(KEYS), Codes(), stamps=stamps, timezone="Europe/Berlin")
    return Translator(ingest)


def study(content: bytes, stamps: Any = "header") -> Study:
    (found,) = translator(stamps).translate(content, NOW)
    assert isinstance(found, Study)
    return found


def refusal(content: bytes) -> Untranslated:
    (found,) = translator().translate(content, NOW)
    assert isinstance(found, Untranslated)
    return found


class TestWhatIsCarried:
    def test_an_image_is_a_study(self) -> None:
        found = study(image())

        assert (found.site, found.modality, found.view) == ("north", "DX", "PA")
        assert found.scanner is not None
        assert (found.scanner.model, found.scanner.software) == ("Definium 8000", "3.1")
        assert found.acquisition == {"kvp": 120.0, "pixel_mm": 0.143, "rows": 2022, "cols": 2022}
        assert found.patient is not None
        assert (found.patient.sex, found.patient.age_years) == ("F", 78.0)
        assert found.at == datetime(2026, 1, 5, 7, 15, tzinfo=UTC)
        assert decode_event(encode(found)) == found

    def test_what_all_frames_of_an_enhanced_image_share_is_carried(self) -> None:
        measures, beam, reconstruction, shared = Dataset(), Dataset(), Dataset(), Dataset()
        measures.PixelSpacing, measures.SliceThickness = [0.7, 0.7], "1.25"
        beam.KVP, reconstruction.ConvolutionKernel = "100", "B30f"
        shared.PixelMeasuresSequence, shared.CTXRayDetailsSequence = [measures], [beam]
        shared.CTReconstructionSequence = [reconstruction]
        frames = {"SharedFunctionalGroupsSequence": [shared], "PixelData": b"\0\0" * 64}
        frames["PerFrameFunctionalGroupsSequence"] = [Dataset() for _ in range(50)]
        classic = {"KVP": None, "ImagerPixelSpacing": None}

        found = study(image(NumberOfFrames="50", BitsAllocated=16, **classic, **frames))

        told = {"kvp": 100.0, "kernel": "B30f", "pixel_mm": 0.7, "slice_mm": 1.25}
        assert found.acquisition == told | {"rows": 2022, "cols": 2022}

    def test_a_live_image_is_dated_by_its_arrival(self) -> None:
        assert study(image(), stamps="arrival").at == NOW

    @pytest.mark.parametrize(
        ("fields", "at"),
        [
            ({"TimezoneOffsetFromUTC": None}, datetime(2026, 1, 5, 7, 15, tzinfo=UTC)),  # Berlin
            (
                {"AcquisitionDateTime": "20260106010203+0000"},
                datetime(2026, 1, 6, 1, 2, 3, tzinfo=UTC),
            ),
            ({"AcquisitionTime": "2561"}, NOW),
            ({"AcquisitionDate": None}, NOW),
        ],
    )
    def test_times_have_an_offset_or_the_sites_zone(
        self, fields: dict[str, Any], at: datetime
    ) -> None:
        assert study(image(**fields)).at == at

    def test_the_same_study_has_the_same_key_and_its_number_leads_to_it(self) -> None:
        one = translator()

        keys = {found.study for _ in range(2) for found in one.translate(image(), NOW)}  # type: ignore[union-attr]

        assert keys == {KEYS.key("study", "1.2.826.0.1.3680043.999.1")}
        assert one._ingest.links.by_accession(PLANTED["AccessionNumber"]) in keys

    def test_an_age_over_89_is_90(self) -> None:
        patient = study(image(PatientAge="103Y")).patient

        assert patient is not None
        assert patient.age_years == 90.0


class TestWhatIsNot:
    def test_nothing_planted_gets_out(self) -> None:
        told = encode(study(image()))

        found = [name for name, value in PLANTED.items() if value.encode() in told]
        assert found == []
        assert b"lanted" not in told
        assert b"PLANTED" not in told

    @pytest.mark.parametrize(
        "keyword", ["Manufacturer", "ManufacturerModelName", "SoftwareVersions"]
    )
    def test_a_name_typed_into_a_technical_field_is_dropped(self, keyword: str) -> None:
        one = translator()

        (found,) = one.translate(image(**{keyword: "Mobile of plantedname"}), NOW)

        assert isinstance(found, Study)
        assert b"lanted" not in encode(found)
        assert one.dropped["identifier_in_text"] == 1

    def test_free_text_in_a_code_field_is_dropped(self) -> None:
        assert study(image(BodyPartExamined="Chest, see Dr. Who")).body_part is None


class TestRefusals:
    @pytest.mark.parametrize(
        ("fields", "reason", "where"),
        [
            ({"StudyInstanceUID": None}, "missing_field", "(0020,000D)"),
            ({"Modality": None}, "missing_field", "(0008,0060)"),
            ({"Modality": "a b c"}, "bad_value", "(0008,0060)"),
            (
                {"SOPClassUID": "1.2.840.10008.5.1.4.1.1.88.33"},
                "not_of_this_kind",
                "(0008,0016)",
            ),
        ],
    )
    def test_what_is_no_image_is_named(
        self, fields: dict[str, Any], reason: str, where: str
    ) -> None:
        found = refusal(image(**fields))

        assert (found.reason, found.where) == (reason, where)

    @pytest.mark.parametrize("content", [b"", b"MSH|^~\\&|", b"\0" * 200, b"\0" * 128 + b"DICM"])
    def test_what_is_no_dicom_is_no_study(self, content: bytes) -> None:
        assert refusal(content).where in ("file", "(0020,000D)")

    def test_a_deflated_file_is_not_inflated(self) -> None:
        dataset = dcmread(BytesIO(image()))
        dataset.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian

        assert refusal(written(dataset)) == Untranslated("unsupported", "(0002,0010)")

    @given(st.data())
    @settings(max_examples=200, deadline=None)
    def test_no_bytes_make_it_raise(self, data: st.DataObject) -> None:
        content = bytearray(IMAGE)
        for _ in range(data.draw(st.integers(1, 6))):
            content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
        cut = data.draw(st.integers(0, len(content)))

        (found,) = translator().translate(bytes(content[:cut]), NOW)

        assert isinstance(found, Study | Untranslated)


class TestWhatIsScanned:
    """The guards against bombs look at what is parsed, and at nothing else."""

    def test_pixels_may_look_like_anything(self) -> None:
        looks = b"\xfe\xff\x00\xe0" * 50_000 + b"1.2.840.10008.1.2.1.99"

        found = study(image(PixelData=looks, BitsAllocated=16))

        assert found == study(image(BitsAllocated=16))

    @pytest.mark.parametrize("syntax", [ImplicitVRLittleEndian, ExplicitVRLittleEndian])
    def test_the_header_goes_on_after_an_icon(self, syntax: str) -> None:
        icon = Dataset()
        icon.PixelData = b"\1\0" * 64
        icon["PixelData"].VR = "OW"
        dataset = dcmread(BytesIO(image(PixelData=b"\0\0" * 64, BitsAllocated=16)))
        dataset.file_meta.TransferSyntaxUID = UID(syntax)
        dataset["PixelData"].VR = "OW"
        block = dataset.private_block(0x0009, "ACME", create=True)
        block.add_new(0x01, "SQ", [icon])

        assert study(written(dataset)).acquisition == study(image(BitsAllocated=16)).acquisition

    def test_what_looks_like_pixels_hides_no_bomb(self) -> None:
        items = b"\xfe\xff\x00\xe0\0\0\0\0" * 41_000
        bomb = b"\x08\x00\x40\x11SQ\0\0\xff\xff\xff\xff" + items
        hidden = b"\x08\x00\x01\x00UN\0\0\x04\0\0\0\xe0\x7f\x10\x00"
        place = IMAGE.index(b"\x08\x00\x16\x00UI")

        found = refusal(IMAGE[:place] + hidden + bomb + IMAGE[place:])

        assert found == Untranslated("too_large", "sequence")


class TestAssembly:
    def received(self, number: int, at: datetime) -> tuple[Instance, datetime]:
        content = image(SOPInstanceUID=f"1.2.3.{number}")
        found = translator("arrival").instance(content, at)
        assert isinstance(found, Instance)
        return found, at

    def told(self, studies: Any) -> list[tuple[str, float]]:
        return [(s.state, s.attributes["instances_n"]) for s in studies]

    def test_a_study_is_received_then_complete_then_complete_with_more(self) -> None:
        assembly, later = Assembly(stable_s=60), NOW + timedelta(seconds=30)

        first = self.told(assembly.add(*self.received(1, NOW)))
        second = self.told(assembly.add(*self.received(2, later)))
        early = self.told(assembly.due(later + timedelta(seconds=59)))
        stable = self.told(assembly.due(later + timedelta(seconds=60)))
        again = self.told(assembly.due(later + timedelta(seconds=99)))
        list(assembly.add(*self.received(3, later + timedelta(seconds=200))))
        grown = self.told(assembly.due(later + timedelta(seconds=260)))

        assert (first, second, early) == ([("received", 1.0)], [], [])
        assert (stable, again, grown) == ([("complete", 2.0)], [], [("complete", 3.0)])

    def test_the_same_image_again_is_no_growth(self) -> None:
        assembly = Assembly(stable_s=60)
        for _ in range(3):
            list(assembly.add(*self.received(1, NOW)))

        assert self.told(assembly.finish()) == [("complete", 1.0)]

    def test_too_many_studies_push_out_the_oldest_which_is_told(self) -> None:
        assembly = Assembly(stable_s=60, most=2)
        told = []
        for number in range(3):
            found = translator("arrival").instance(
                image(StudyInstanceUID=f"1.9.{number}"), NOW + timedelta(seconds=number)
            )
            assert isinstance(found, Instance)
            told += self.told(assembly.add(found, NOW))

        assert told == [("received", 1.0)] * 3 + [("complete", 1.0)]
        assert assembly.dropped["study_overflow"] == 1
