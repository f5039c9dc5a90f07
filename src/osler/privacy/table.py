"""De-identification of CSV: whole columns where the header says what they hold, cells by the detector elsewhere.

Rows of one patient (by a column of record numbers) share surrogates and the shift of dates.
"""

import csv
import io
from collections.abc import Callable
from typing import cast

from osler.errors import InputError
from osler.privacy.deid import Deidentifier
from osler.privacy.spans import SpanType
from osler.privacy.tokens import cues, plain

# The classes of cue that name a kind of column, the surer first; a header's words are looked up in `data/cues.toml`.
_COLUMNS = {
    "email": "EMAIL", "fax": "FAX", "phone": "PHONE", "ssn": "SSN", "vehicle": "VEHICLE", "biometric": "BIOMETRIC",
    "license": "LICENSE", "account": "ACCOUNT", "mrn": "MRN", "device": "DEVICE",
}  # fmt: skip
_HEADERS = {
    "NAME": "name surname forename lastname firstname fullname patientname 姓名 患者姓名 医师 医生 physician doctor",
    "DATE": "dob birthdate dateofbirth date birthday 日期 出生日期 入院日期 出院日期",
    "ZIP": "zip postcode zipcode postal 邮编", "ADDRESS": "address city town street county 地址 住址",
    "PHONE": "电话 手机 联系电话", "ID": "identifier 身份证 身份证号", "MRN": "病历号 住院号 门诊号", "AGE": "age 年龄",
    "HOSPITAL": "hospital facility clinic 医院", "IP": "ip", "URL": "url website",
}  # fmt: skip
_NOT_PEOPLE = {"drug", "test", "medication", "disease", "diagnosis", "product", "file", "column", "generic", "brand"}


def column_kind(header: str) -> SpanType | None:
    """The kind of identifier a column of this header holds, if its words say so."""
    words = plain(header.replace("_", " ").replace("-", " ").replace(".", " ")).split()
    for kind, names in _HEADERS.items():
        if {*words, "".join(words)} & set(names.split()) and not (kind == "NAME" and _NOT_PEOPLE & set(words)):
            return cast(SpanType, kind)
    numbered = {"number", "no", "id", "num", "nr", "code"} & set(words) or len(words) == 1
    classes = [name for word in words for name in cues().get(word, ())]
    return (
        cast("SpanType | None", next((_COLUMNS[name] for name in _COLUMNS if name in classes), None))
        if numbered
        else None
    )


def deidentify(text: str, masking: Callable[[str], Deidentifier], where: str) -> str:
    """A CSV text without identifiers; `masking(subject)` gives the de-identifier of a patient."""
    try:
        dialect: type[csv.Dialect] | csv.Dialect = csv.Sniffer().sniff(text[:4096], delimiters=",;\t|")
    except csv.Error:
        dialect = csv.excel
    try:
        rows = list(csv.reader(io.StringIO(text), dialect, strict=True))
    except csv.Error as error:
        raise InputError(f"not valid CSV: {error}", where=where) from None
    if not rows:
        raise InputError("the file has no header line", where=where)
    kinds = [column_kind(header) for header in rows[0]]
    key = next((kinds.index(kind) for kind in ("MRN", "ID", "NAME") if kind in kinds), None)
    out = io.StringIO()
    writer = csv.writer(out, dialect, lineterminator="\r\n" if "\r\n" in text else "\n")
    writer.writerow(rows[0])
    for number, row in enumerate(rows[1:], start=2):
        if row and len(row) != len(kinds):
            raise InputError(f"{len(row)} fields under {len(kinds)} headers", where=f"{where}, row {number}")
        one = masking(row[key] if row and key is not None else "")
        writer.writerow([_cell(cell, kind, one) for cell, kind in zip(row, kinds, strict=False)])
    return out.getvalue()


def _cell(cell: str, kind: SpanType | None, masking: Deidentifier) -> str:
    if not cell.strip():
        return cell
    if kind is None or (kind == "AGE" and not (cell.strip().isdigit() and int(cell) > 89)):
        return masking.mask(cell).text if kind is None else cell
    new = masking.replace(kind, cell.strip())
    return cell if new is None else new
