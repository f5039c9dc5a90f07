"""De-identification of DICOM headers by the basic profile of PS3.15 annex E (`data/dicom.toml`), nested sequences too.

Free text goes altogether, and so do overlays, curves, and embedded documents. Pixel data is not touched: what is
burned into the picture stays, and `Result.warning` says so (`imaging.burned` looks for it). Needs pydicom.
"""

import hashlib
import hmac
import io
import tomllib
from importlib.resources import files
from typing import TYPE_CHECKING, Any, NamedTuple

from osler.errors import InputError, MissingComponent
from osler.privacy.deid import Deidentifier

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

# Unique identifiers that name a class, a syntax or an implementation, not an object of a patient.
_KEPT_UIDS = (
    "SOPClassUID",
    "TransferSyntaxUID",
    "CodingSchemeUID",
    "MappingResourceUID",
    "ContextUID",
    "ImplementationClassUID",
)
_FREE = ("LT", "ST", "UT", "UR", "AE")  # holds anything anyone wrote: never kept
_SHORT = ("LO", "SH", "UC")  # kept, masked, where `kept` of the table names it
_BULK = ("OB", "OW", "OD", "OF", "OL", "OV")


class Result(NamedTuple):
    data: bytes
    changed: int
    warning: str | None


def deidentify(data: bytes, masking: Deidentifier, key: bytes, where: str) -> Result:
    """A DICOM file without identifiers in its header. Raises InputError for what is no DICOM file."""
    try:
        import pydicom
        from pydicom.dataset import Dataset
        from pydicom.errors import InvalidDicomError
    except ImportError:
        raise MissingComponent("pydicom is not installed", where=where, hint="pip install 'osler[imaging]'") from None
    try:
        file = pydicom.dcmread(io.BytesIO(data))
        if "SOPClassUID" not in file:
            raise ValueError("it has no SOP Class UID")
        walker = _Walker(masking, key)
        walker.clean(file)
        walker.clean(file.file_meta)
    except (InvalidDicomError, ValueError, KeyError, EOFError, NotImplementedError, TypeError, AttributeError) as error:
        raise InputError(f"not a DICOM file that can be read: {error}", where=where) from None
    file.preamble = b"\0" * 128  # free for any use, so it may hold anything
    file.PatientIdentityRemoved = "YES"
    method = Dataset()
    method.CodeValue, method.CodingSchemeDesignator = "113100", "DCM"
    method.CodeMeaning = "Basic Application Confidentiality Profile"
    file.DeidentificationMethodCodeSequence = [method]
    file.LongitudinalTemporalInformationModified = "MODIFIED" if masking.policy.action("DATE") == "shift" else "REMOVED"
    out = io.BytesIO()
    file.save_as(out)
    pixels = "PixelData" in file and "burned-in text was not looked for: the pixels are as they were"
    return Result(out.getvalue(), walker.changed, pixels or None)


class _Walker:
    def __init__(self, masking: Deidentifier, key: bytes) -> None:
        table = tomllib.loads(files("osler.privacy").joinpath("data/dicom.toml").read_text(encoding="utf-8"))
        self._sets = {action: frozenset(words.split()) for action, words in table.items()}
        self._masking, self._key = masking, key
        self.changed = 0

    def clean(self, dataset: "Dataset") -> None:
        for element in list(dataset):
            before = element.value
            if self._removed(element, str(dataset.get("CodingSchemeDesignator") or "")):
                del dataset[element.tag]
                self.changed += 1
                continue
            if element.VR == "SQ" and element.keyword not in self._sets["empty"]:
                for item in element.value:
                    self.clean(item)
                continue
            element.value = self._value(element)
            self.changed += element.value != before

    def _removed(self, element: Any, scheme: str) -> bool:
        name, kind, group = element.keyword, element.VR, element.tag.group
        if element.tag.is_private or 0x5000 <= group <= 0x50FF or 0x6000 <= group <= 0x60FF or kind in ("UN", *_FREE):
            return True
        if name in self._sets["coded"]:
            return scheme not in self._sets["schemes"]
        if kind in _SHORT:
            return not any(name in self._sets[action] for action in ("empty", "dummy", "kept"))
        return name in self._sets["remove"] or (kind in _BULK and name not in self._sets["bulk"])

    def _value(self, element: Any) -> Any:
        name, kind, value = element.keyword, element.VR, element.value
        if name in self._sets["empty"]:
            return [] if kind == "SQ" else ""
        if name in self._sets["dummy"]:
            return "REMOVED"
        if kind == "PN":
            return ""
        if kind == "UI" and name not in _KEPT_UIDS:
            several = not isinstance(value, str)
            return [self._uid(one) for one in value] if several else self._uid(value)
        if kind in ("DA", "DT", "TM") and value:
            return self._date(kind, str(value))
        if kind in _SHORT and value:
            one = isinstance(value, str)
            return self._masking.mask(value).text if one else [self._masking.mask(str(part)).text for part in value]
        return value

    def _date(self, kind: str, value: str) -> str:
        action = self._masking.policy.action("DATE")
        if action == "keep" or (kind == "TM" and action == "shift"):
            return value
        moved = self._masking.replace("DATE", f"{value[:4]}-{value[4:6]}-{value[6:8]}") if action == "shift" else None
        return moved.replace("-", "") + value[8:] if moved and moved[0] != "[" else ""

    def _uid(self, uid: str) -> str:
        """A UID under 2.25 (X.667) that the same key makes of the same UID, so that references still meet."""
        if not uid or uid.startswith("1.2.840.10008."):
            return uid
        return f"2.25.{int.from_bytes(hmac.new(self._key, uid.encode(), hashlib.sha256).digest()[:15], 'big')}"
