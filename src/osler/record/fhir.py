"""Reads FHIR R4 (bundle, list, lines or one resource) into a Case.

Every part names its place, `Bundle.entry[12].resource` and below. Two patients are refused. Other FHIR versions are
read as far as their shapes map to R4. It knows no terminology: codes stay as they are.
"""

import re
from collections.abc import Iterator

import msgspec

from osler.errors import InputError
from osler.record.case import Case, Part, Unread
from osler.record.fhir_documents import notes_of
from osler.record.fhir_items import READ, Item, Record, items_of, settle
from osler.record.fhir_parts import parts_of
from osler.record.fhir_patient import one_patient
from osler.record.merge import assemble
from osler.record.node import NOTHING, UNDECODABLE, Node, root
from osler.record.source import Shape, parse
from osler.record.tables import table
from osler.record.times import moment, newest

_VERSION = re.compile(r"https?://hl7\.org/fhir/(\d+\.\d+|DSTU\d|STU\d|R\d\w?)/|(\d+\.\d+(?:\.\d+)?)$")
_PREGNANCY = table("fhir")["pregnancy"]


def read_fhir(data: bytes, digest: str, name: str, shape: Shape = "json") -> Case:
    """The Case of FHIR JSON in UTF-8.

    Raises InputError for malformed JSON (line and column), for an input without clinical content or of another version
    by its own words, and for two patients (both paths).
    """
    record = Record()
    items = settle(list(_items(data, name, shape, record)))
    holders = [item for item in items if "contained" in item.content and item.kind in READ]
    items += [inner for item in holders for inner in item.contained()]
    for item in items:
        record.add(item)
    wanted = [item for item in items if item.kind in READ and not item.in_error()]
    main = [item for item in wanted if not _is_support(item)]
    patient, elsewhere = one_patient(main, name)
    parts: list[Part] = []
    for item in main:
        if item.path not in elsewhere:
            parts += [*(() if item.kind == "Patient" else parts_of(item)), *notes_of(item)]
            item.report_unused()
    for item in wanted:
        if _is_support(item) and item.path not in record.used:
            item.count("", "nothing that was read refers to it")
    if not parts and not any(item.kind == "Patient" for item in wanted):
        rows = record.omissions.rows()
        first = f" First of {len(rows)}: {rows[0].path}: {rows[0].reason}." if rows else ""
        said = f"nothing in this FHIR input could be read.{first}"
        raise InputError(said, where=name, hint="Osler reads FHIR R4 JSON.")
    return _with_pregnancy(assemble("fhir", digest, patient, parts, record.omissions))


def _items(data: bytes, name: str, shape: Shape, record: Record) -> Iterator[Item]:
    given: list[tuple[bytes | msgspec.Raw, str, int]] = [(data, "", 1)]  # JSON, its path and line
    if shape == "ndjson":
        lines = enumerate(data.split(b"\n"), start=1)
        given = [(line, f"line[{number}]", number) for number, line in lines if line.strip()]
    elif data.lstrip()[:1] == b"[":
        listed = parse(data, name, kind=list[msgspec.Raw])
        given = [(raw, f"[{index}]", 1) for index, raw in enumerate(listed)]
    for raw, path, line in given:
        try:
            node = root(raw, path, record.omissions)
        except UNDECODABLE:
            node = parse(raw, name, line)  # says where it is malformed
        if node is not NOTHING:
            _refuse_other_versions(node, name)
            yield from items_of(node.content, path, record)


def _refuse_other_versions(node: Node, name: str) -> None:
    for written in (node.text("fhirVersion") or "", *node.node("meta").texts("profile")):
        declared = _VERSION.match(written)
        version = (declared[1] or declared[2]) if declared else "4"
        if not version.startswith(("4", "R4")):
            raise InputError(
                f"{written!r} declares FHIR {version}; Osler reads R4 (4.0)",
                where=f"{name}: {node.place('meta.profile' if declared and declared[1] else 'fhirVersion')}",
                hint="Export it as R4, or take the declaration away to have it read as far as it maps to R4.",
            )


def _is_support(item: Item) -> bool:
    # Results may live in their report only; whatever else is contained is read where something refers to it.
    is_result = item.kind == "Observation" and item.owner is not None and item.owner.kind == "DiagnosticReport"
    return item.kind in ("Medication", "Binary") or (item.owner is not None and not is_result)


def _with_pregnancy(case: Case) -> Case:
    asked = [one for one in case.observations if any(code.code == _PREGNANCY["status"] for code in one.codes)]
    time = newest(one.time for one in asked if one.time)
    last = [one for one in asked if one.time == time]
    known = _PREGNANCY["answers"]
    answers = [known[code.code] for one in last for code in one.value_codes if code.code in known]
    if not answers:
        return case
    pregnant, unread = answers[0], case.unread
    said, now = moment(time or ""), moment(case.reference_time or "")
    if pregnant and said and now and (now.day - said.day).days > _PREGNANCY["longest"]:
        reason = f"pregnant at {time}, long before the newest entry: whether she is pregnant now is not known"
        pregnant, unread = None, [*unread, Unread(path=last[0].source, reason=reason)]
    patient = case.patient.model_copy(update={"pregnant": pregnant})
    return case.model_copy(update={"patient": patient, "unread": unread})
