"""DICOM files made here, with everything about the patient planted to be searched for."""

from io import BytesIO
from typing import Any

from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

PLANTED = {
    "PatientName": "Plantedname^Petra",
    "PatientID": "PLANTED-4711",
    "PatientBirthDate": "19480229",
    "AccessionNumber": "PLANTEDACC99",
    "ReferringPhysicianName": "Planteddoctor^D",
    "OperatorsName": "Plantedoperator^O",
    "InstitutionName": "Planted Hospital",
    "InstitutionAddress": "Planted Street 1",
    "StudyDescription": "Planted description of Plantedname",
    "SeriesDescription": "Planted series",
    "ProtocolName": "Planted protocol",
    "ImageComments": "Planted comment",
    "DeviceSerialNumber": "PLANTEDSERIAL",
    "StationName": "PLANTEDROOM",
    "StudyID": "PLANTEDSTUDYID",
}


def image(**fields: Any) -> bytes:
    """A file of a digital radiograph; `fields` by keyword override, None takes one away."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.1.1"
    meta.MediaStorageSOPInstanceUID = generate_uid()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    plain: dict[str, Any] = PLANTED | {
        "SOPClassUID": meta.MediaStorageSOPClassUID,
        "SOPInstanceUID": meta.MediaStorageSOPInstanceUID,
        "StudyInstanceUID": "1.2.826.0.1.3680043.999.1",
        "SeriesInstanceUID": "1.2.826.0.1.3680043.999.2",
        "Modality": "DX",
        "BodyPartExamined": "CHEST",
        "ViewPosition": "PA",
        "Manufacturer": "Acme",
        "ManufacturerModelName": "Definium 8000",
        "SoftwareVersions": "3.1",
        "PatientSex": "F",
        "PatientAge": "078Y",
        "KVP": "120",
        "ImagerPixelSpacing": [0.143, 0.143],
        "Rows": 2022,
        "Columns": 2022,
        "AcquisitionDate": "20260105",
        "AcquisitionTime": "081500",
        "TimezoneOffsetFromUTC": "+0100",
    }
    for keyword, value in (plain | fields).items():
        if value is not None:
            setattr(dataset, keyword, value)
    return written(dataset)


def written(dataset: Dataset) -> bytes:
    """The file."""
    buffer = BytesIO()
    dataset.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()
