"""A report as a DICOM Basic Text SR (PS3.3 A.35.1): a container of sections, each of texts.

Headings are coded from the standard's context group 7001 where it has them, else under a private scheme. The report
does not say who the patient is: name and id stay empty, for the archive to fill in. Needs pydicom.
"""

import io
import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from osler.clinic.reports.report import Report
from osler.errors import MissingComponent

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

Code = tuple[str, str, str]
TITLE: Code = ("18748-4", "LN", "Diagnostic Imaging Report")
NOTE: Code = ("34109-9", "LN", "Note")
HEADINGS: dict[str, Code] = {
    "findings": ("121070", "DCM", "Findings"),
    "impression": ("121072", "DCM", "Impressions"),
    "assessment": ("121072", "DCM", "Impressions"),
    "history": ("121060", "DCM", "History"),
    "clinical": ("121060", "DCM", "History"),
    "indication": ("121109", "DCM", "Indications for Procedure"),
    "technique": ("121064", "DCM", "Current Procedure Descriptions"),
    "comparison": ("121068", "DCM", "Previous Findings"),
    "recommendation": ("121074", "DCM", "Recommendations"),
    "plan": ("121074", "DCM", "Recommendations"),
}
TEXTS = {"121070": ("121071", "DCM", "Finding"), "121072": ("121073", "DCM", "Impression")}
COMMENT: Code = ("121106", "DCM", "Comment")
TEXT: Code = ("121071", "DCM", "Finding")
PRIVATE = "99OSLER"
LANGUAGES = {"en": ("en", "RFC5646", "English"), "zh": ("zh", "RFC5646", "Chinese")}


def structured(report: Report) -> bytes:
    """The bytes of the DICOM file. Raises MissingComponent without pydicom."""
    try:
        from pydicom.dataset import Dataset, FileMetaDataset
        from pydicom.uid import UID, ExplicitVRLittleEndian
    except ImportError:
        raise MissingComponent("pydicom is not installed", hint="pip install 'osler[imaging]'") from None
    uids = [UID(_uid(report, name)) for name in ("instance", "study", "series")]
    made = Dataset()
    made.file_meta = FileMetaDataset()
    made.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    made.SpecificCharacterSet = "ISO_IR 192"
    made.file_meta.MediaStorageSOPClassUID = made.SOPClassUID = UID("1.2.840.10008.5.1.4.1.1.88.11")
    made.file_meta.MediaStorageSOPInstanceUID = made.SOPInstanceUID = uids[0]
    made.StudyInstanceUID, made.SeriesInstanceUID = uids[1:]
    made.PatientName = made.PatientID = made.PatientBirthDate = made.PatientSex = ""
    made.StudyDate = made.StudyTime = made.StudyID = made.AccessionNumber = made.ReferringPhysicianName = ""
    made.Modality, made.Manufacturer, made.SeriesNumber, made.InstanceNumber = "SR", "Osler", 1, 1
    made.ReferencedPerformedProcedureStepSequence = []
    time = datetime.now(UTC)
    made.ContentDate, made.ContentTime = time.strftime("%Y%m%d"), time.strftime("%H%M%S")
    signed = report.status in ("signed", "amended")
    made.CompletionFlag = "COMPLETE" if signed else "PARTIAL"
    made.VerificationFlag = "UNVERIFIED"  # the signature is in Osler's ledger; an archive verifies by its own
    made.PerformedProcedureCodeSequence = []
    made.ValueType, made.ContinuityOfContent = "CONTAINER", "SEPARATE"
    made.ConceptNameCodeSequence = [_code(TITLE if report.kind == "radiology" else NOTE)]
    said = [_item("HAS CONCEPT MOD", "CODE", ("121049", "DCM", "Language of Content Item and Descendants"))]
    said[0].ConceptCodeSequence = [_code(LANGUAGES[report.language])]
    said.append(_text("CONTAINS", COMMENT, f"{report.title}. {report.notice}"))
    for part in report.sections:
        heading = HEADINGS.get(part.key, (part.key.upper()[:16], PRIVATE, part.title))
        section = _item("CONTAINS", "CONTAINER", heading)
        section.ContinuityOfContent = "SEPARATE"
        name = TEXTS.get(heading[0], TEXT)
        texts = [one.text if one.verdict == "supported" else f"{one.text} ({one.verdict})" for one in part.statements]
        texts += [part.note] if part.note else []
        section.ContentSequence = [_text("CONTAINS", name, text) for text in texts]
        if section.ContentSequence:
            said.append(section)
    kept = f"Osler {report.status}, ledger entry {report.trace_id}"
    said.append(_text("CONTAINS", COMMENT, kept))
    made.ContentSequence = said
    out = io.BytesIO()
    made.save_as(out, enforce_file_format=True)
    return out.getvalue()


def _item(relation: str, kind: str, name: Code) -> "Dataset":
    from pydicom.dataset import Dataset

    made = Dataset()
    made.RelationshipType, made.ValueType = relation, kind
    made.ConceptNameCodeSequence = [_code(name)]
    return made


def _text(relation: str, name: Code, text: str) -> "Dataset":
    made = _item(relation, "TEXT", name)
    made.TextValue = text
    return made


def _code(code: Code) -> Any:
    from pydicom.dataset import Dataset

    made = Dataset()
    made.CodeValue, made.CodingSchemeDesignator, made.CodeMeaning = code[0], code[1], code[2][:64]
    return made


def _uid(report: Report, name: str) -> str:
    return f"2.25.{uuid.uuid5(uuid.NAMESPACE_URL, f'{report.trace_id}/{report.status}/{name}').int}"
