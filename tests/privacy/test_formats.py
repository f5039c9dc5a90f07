"""FHIR, CSV and DICOM: what stands where a name, address or date belongs is gone, and the document stays one."""

import base64
import io
import json
from typing import Any

import pytest

from osler.errors import InputError
from osler.privacy import fhir, table
from osler.privacy.deid import Deidentifier
from osler.privacy.policy import load_policy

PLANTED = [
    "Okonkwo",
    "Adaeze",
    "Juniper",
    "86305",
    "555-0132",
    "juniper@x.example",
    "40618827",
    "1958",
    "pat-77",
    "Bram",
]
PATIENT = {
    "resourceType": "Patient",
    "id": "pat-77",
    "text": {
        "status": "generated",
        "div": '<div xmlns="http://www.w3.org/1999/xhtml">Patient: <b>Adaeze Okonkwo</b></div>',
    },
    "identifier": [{"type": {"coding": [{"code": "MR"}]}, "system": "urn:x", "value": "40618827"}],
    "name": [{"family": "Okonkwo", "given": ["Adaeze"], "prefix": ["Ms."]}],
    "telecom": [{"system": "phone", "value": "555-0132"}, {"system": "email", "value": "juniper@x.example"}],
    "gender": "female",
    "birthDate": "1958-02-11",
    "address": [{"line": ["12 Juniper Rd"], "city": "Prescott", "state": "AZ", "postalCode": "86305"}],
    "contact": [{"name": {"text": "Bram Okonkwo"}}],
    "photo": [{"contentType": "image/png", "data": "AAAA"}],
}
OBSERVATION = {
    "resourceType": "Observation",
    "id": "o1",
    "status": "final",
    "code": {"coding": [{"system": "http://loinc.org", "code": "718-7", "display": "Carter-Young Hemoglobin"}]},
    "subject": {"reference": "Patient/pat-77", "display": "Adaeze Okonkwo"},
    "effectiveDateTime": "2023-04-05T10:00:00Z",
    "valueQuantity": {"value": 11.9, "unit": "g/dL"},
    "note": [{"text": "Discussed with Ms. Adaeze Okonkwo by Dr. Bram Okonkwo."}],
}
PUT = {"method": "PUT", "url": "Patient/pat-77"}
BUNDLE = {
    "resourceType": "Bundle",
    "type": "transaction",
    "entry": [{"resource": PATIENT, "request": PUT}, {"resource": OBSERVATION}],
}


def _masking(policy: str = "safe-harbor") -> Deidentifier:
    return Deidentifier(policy=load_policy(policy), key=b"k", subject="p")


@pytest.mark.parametrize("policy", ["safe-harbor", "strict", "research-dates-shifted"])
def test_fhir(policy: str) -> None:
    new = fhir.deidentify(BUNDLE, _masking(policy))
    text = json.dumps(new, ensure_ascii=False)
    planted = (
        PLANTED if policy != "research-dates-shifted" else [word for word in PLANTED if word not in ("1958", "86305")]
    )
    left = [word for word in planted if word in text and word != "1958"]
    assert left == []
    patient, observation = (entry["resource"] for entry in new["entry"])
    assert observation["subject"]["reference"] == f"Patient/{patient['id']}"
    assert new["entry"][0]["request"]["url"] == f"Patient/{patient['id']}"
    assert "photo" not in patient and patient["gender"] == "female"
    assert observation["code"] == OBSERVATION["code"] and observation["valueQuantity"]["value"] == 11.9
    shifted = policy == "research-dates-shifted"
    assert (len(patient["birthDate"]) == 10) is shifted and patient["birthDate"] != "1958-02-11"
    assert observation["effectiveDateTime"].endswith("T10:00:00Z") is shifted


def test_fhir_of_the_very_old_and_attachments() -> None:
    note = base64.b64encode(b"Patient: Adaeze Okonkwo, MRN: 40618827").decode()
    document = {
        "resourceType": "DocumentReference",
        "content": [{"attachment": {"contentType": "text/plain", "data": note}}],
    }
    new = fhir.deidentify(document, _masking())
    text = base64.b64decode(new["content"][0]["attachment"]["data"]).decode()
    assert "Okonkwo" not in text and "40618827" not in text
    assert "birthDate" not in fhir.deidentify({"resourceType": "Patient", "birthDate": "1920-01-01"}, _masking())


def test_table() -> None:
    rows = (
        "patient_id,name,dob,Phone Number,drug_name,comment\n"
        '881,Adaeze Okonkwo,1958-02-11,555-0132,Lipitor,"Seen by Dr. Bram Okonkwo, well"\n'
        "881,Adaeze Okonkwo,1958-02-11,,Lipitor,\n"
    )
    made: dict[str, Deidentifier] = {}
    new = table.deidentify(rows, lambda s: made.setdefault(s, _masking()), "t.csv")
    assert not any(word in new for word in ("Okonkwo", "1958", "555-0132", "881")) and new.count("Lipitor") == 2
    first, second = (line.split(",") for line in new.splitlines()[1:3])
    assert first[1] == second[1] and new.splitlines()[0] == rows.splitlines()[0]


def test_table_with_a_broken_row() -> None:
    with pytest.raises(InputError, match="row 3"):
        table.deidentify("name,age\nAnn,4\nBob\n", lambda _: _masking(), "t.csv")


def _dicom() -> bytes:
    pydicom = pytest.importorskip("pydicom")
    from pydicom.dataset import Dataset, FileMetaDataset
    from pydicom.uid import ExplicitVRLittleEndian, generate_uid

    file = Dataset()
    file.file_meta = FileMetaDataset()
    file.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    file.file_meta.MediaStorageSOPClassUID = file.SOPClassUID = pydicom.uid.SecondaryCaptureImageStorage
    file.file_meta.MediaStorageSOPInstanceUID = file.SOPInstanceUID = generate_uid()
    file.PatientName, file.PatientID, file.PatientBirthDate = "Okonkwo^Adaeze", "40618827", "19580211"
    file.StudyDate, file.StudyTime, file.AccessionNumber = "20230405", "101500", "S21-7"
    file.InstitutionName, file.StudyDescription, file.Modality = "Juniper Clinic", "Okonkwo knee", "XC"
    inner = Dataset()
    inner.PersonName, inner.ReferencedSOPInstanceUID = "Bram^Okonkwo", file.SOPInstanceUID
    file.ReferencedImageSequence = [inner]
    file.private_block(0x0011, "ACME", create=True).add_new(1, "LO", "Okonkwo")
    file.Rows = file.Columns = 2
    file.BitsAllocated = file.BitsStored = 8
    file.HighBit, file.PixelRepresentation, file.SamplesPerPixel = 7, 0, 1
    file.PhotometricInterpretation, file.PixelData = "MONOCHROME2", b"\x01\x02\x03\x04"
    out = io.BytesIO()
    file.save_as(out, enforce_file_format=True)
    return out.getvalue()


def test_dicom() -> None:
    pydicom = pytest.importorskip("pydicom")
    from osler.privacy.dicom import deidentify

    data = _dicom()
    result = deidentify(data, _masking(), b"k", "x.dcm")
    for word in (b"Okonkwo", b"Adaeze", b"40618827", b"19580211", b"Juniper", b"Bram", b"20230405"):
        assert word in data and word not in result.data
    file: Any = pydicom.dcmread(io.BytesIO(result.data))
    assert file.PatientIdentityRemoved == "YES" and file.DeidentificationMethodCodeSequence[0].CodeValue == "113100"
    assert file.PixelData == b"\x01\x02\x03\x04" and result.warning and "burned-in" in result.warning
    assert file.ReferencedImageSequence[0].ReferencedSOPInstanceUID == file.SOPInstanceUID
    assert file.SOPInstanceUID == file.file_meta.MediaStorageSOPInstanceUID and file.SOPInstanceUID.encode() not in data


def test_no_dicom() -> None:
    pytest.importorskip("pydicom")
    from osler.privacy.dicom import deidentify

    with pytest.raises(InputError, match=r"x\.dcm"):
        deidentify(b"\0" * 128 + b"DICMgarbage", _masking(), b"k", "x.dcm")
