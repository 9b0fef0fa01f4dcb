"""FHIR messages to translate: ours, each of a version and held to that version's own model.

`PLANTED` stands wherever a patient may be told.
"""

import json
from base64 import b64encode
from copy import deepcopy
from typing import Any

Tree = dict[str, Any]

SCT = "http://snomed.info/sct"
UID = "1.2.840.99.7"
TEXT = "FINDINGS: Small left pneumothorax of Mrs Planted. IMPRESSION: No effusion. PLANTED4711"
ACCESSION: Tree = {
    "type": {
        "coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0203", "code": "ACSN"}]
    },
    "system": "urn:oid:1.2.999.1",
    "value": "A17",
}
PATIENT: Tree = {
    "resourceType": "Patient",
    "id": "plantedid",
    "text": {
        "status": "generated",
        "div": '<div xmlns="http://www.w3.org/1999/xhtml">Petra Planted, 1948-02-19</div>',
    },
    "identifier": [{"system": "urn:oid:1.2.999.2", "value": "PLANTED4711"}],
    "name": [{"family": "Planted", "given": ["Petra"], "text": "Petra Planted"}],
    "telecom": [{"system": "phone", "value": "0551-4711"}],
    "gender": "female",
    "birthDate": "1948-02-19",
    "address": [{"line": ["Planted Street 1"], "city": "Plantedtown", "postalCode": "37073"}],
    "extension": [{"url": "https://example.org/mothersMaiden", "valueString": "Plantedmaiden"}],
}
SUBJECT: Tree = {"reference": "Patient/plantedid", "display": "Petra Planted"}


def coding(code: str, system: str = SCT) -> Tree:
    return {"system": system, "code": code, "display": "as told of Petra Planted"}


def concept(code: str, system: str = SCT) -> Tree:
    return {"coding": [coding(code, system)], "text": "as told of Petra Planted"}


def study(version: str, **changes: Any) -> Tree:
    dicom = "http://dicom.nema.org/resources/ontology/DCM"
    is_r5 = version == "R5"
    site = concept("51185008") if is_r5 else coding("51185008")
    procedure = (
        {"procedure": [{"concept": concept("399208008")}]}
        if is_r5
        else {"procedureCode": [concept("399208008")]}
    )
    return {
        "resourceType": "ImagingStudy",
        "id": "s1",
        "meta": {"lastUpdated": "2026-01-05T08:20:00+01:00"},
        "identifier": [{"system": "urn:dicom:uid", "value": f"urn:oid:{UID}"}, ACCESSION],
        "status": "available",
        "modality": [concept("DX", dicom) if is_r5 else coding("DX", dicom)],
        "subject": SUBJECT,
        "started": "2026-01-05T08:15:00+01:00",
        "numberOfSeries": 1,
        "numberOfInstances": 2,
        **procedure,
        "description": "Planted chest",
        "note": [{"text": "Planted was restless"}],
        "series": [
            {
                "uid": f"{UID}.1",
                "modality": concept("DX", dicom) if is_r5 else coding("DX", dicom),
                "description": "Planted pa",
                "bodySite": {"concept": site} if is_r5 else site,
                "instance": [
                    {
                        "uid": f"{UID}.1.1",
                        "sopClass": coding("1.2.840.10008.5.1.4.1.1.1.1", "urn:ietf:rfc:3986"),
                        "title": "Planted",
                    }
                ],
            }
        ],
        **changes,
    }


def report(version: str, **changes: Any) -> Tree:
    return {
        "resourceType": "DiagnosticReport",
        "id": "r1",
        "meta": {"versionId": "3", "lastUpdated": "2026-01-05T10:00:00Z"},
        "text": {
            "status": "generated",
            "div": '<div xmlns="http://www.w3.org/1999/xhtml">Petra Planted</div>',
        },
        "identifier": [ACCESSION],
        "status": "final",
        "category": [concept("RAD", "http://terminology.hl7.org/CodeSystem/v2-0074")],
        "code": concept("399208008"),
        "subject": SUBJECT,
        "issued": "2026-01-05T09:40:00+01:00",
        "resultsInterpreter": [{"reference": "Practitioner/planted7", "display": "Dr Planted"}],
        ("study" if version == "R5" else "imagingStudy"): [{"reference": "ImagingStudy/s1"}],
        "conclusionCode": [concept("36118008")],
        "presentedForm": [
            {"contentType": "text/plain", "data": b64encode(TEXT.encode()).decode()},
        ],
        "extension": [{"url": "https://example.org/said", "valueString": "Plantedextension"}],
        **changes,
    }


def device(version: str, **changes: Any) -> Tree:
    name = (
        {"name": [{"value": "ptx-detect", "type": "registered-name"}]}
        if version == "R5"
        else {"deviceName": [{"name": "ptx-detect", "type": "model-name"}]}
    )
    return {
        "resourceType": "Device",
        "id": "ai1",
        "manufacturer": "Example",
        "version": [{"value": "2.1.0"}],
        **name,
        **changes,
    }


def observation(version: str, **changes: Any) -> Tree:
    """An algorithm's call with its probability; the same in all versions."""
    return {
        "resourceType": "Observation",
        "id": "o1",
        "status": "final",
        "code": concept("36118008"),
        "subject": SUBJECT,
        "issued": "2026-01-05T08:25:00+01:00",
        "derivedFrom": [{"reference": "ImagingStudy/s1"}],
        "device": {"reference": "Device/ai1"},
        "valueBoolean": True,
        "component": [
            {
                "code": concept("122157", "http://dicom.nema.org/resources/ontology/DCM"),
                "valueQuantity": {
                    "value": 91.5,
                    "unit": "%",
                    "system": "http://unitsofmeasure.org",
                    "code": "%",
                },
            }
        ],
        "note": [{"text": "Planted moved"}],
        **changes,
    }


def bundle(*resources: Tree, kind: str = "collection") -> Tree:
    entries = [
        {
            "fullUrl": f"https://fhir.example/{one['resourceType']}/{one.get('id', 'x')}",
            "resource": one,
        }
        for one in deepcopy(resources)
    ]
    return {"resourceType": "Bundle", "type": kind, "entry": entries}


def notification(version: str, *resources: Tree, what: str = "event-notification") -> Tree:
    """What a server sends to a subscriber: R5's, or the backport's to R4."""
    if version == "R5":
        status: Tree = {
            "resourceType": "SubscriptionStatus",
            "id": "n1",
            "type": what,
            "subscription": {"reference": "Subscription/7"},
        }
        return bundle(status, *resources, kind="subscription-notification")
    told: Tree = {
        "resourceType": "Parameters",
        "id": "n1",
        "parameter": [
            {"name": "subscription", "valueReference": {"reference": "Subscription/7"}},
            {"name": "type", "valueCode": what},
        ],
    }
    found = bundle(told, *resources, kind="history")
    for entry in found["entry"]:
        entry["request"] = {"method": "GET", "url": "Subscription/7/$status"}
        entry["response"] = {"status": "200"}
    return found


def whole(version: str) -> Tree:
    """A study, an algorithm's result and a report on it."""
    return bundle(PATIENT, device(version), study(version), observation(version), report(version))


def of(tree: Any) -> bytes:
    return json.dumps(tree).encode()
