"""Identifiers in text: three public sets with marked spans.

An identifier is found if found spans (of any kind) cover each of its characters but white space; a found span is right
if it touches a marked one. Marks that HIPAA's Safe Harbor (45 CFR 164.514) does not name (titles, organisations,
countries, sex, ages below 90) need not be found, and finding them is not wrong.
"""

import re
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from osler.bench.pooled import pooled
from osler.bench.task import Bench, Figure, Method, Reply, Task, rows
from osler.bench.written import figure
from osler.errors import InputError
from osler.privacy.deid import find_identifiers

KINDS: dict[str, str | None] = {
    # presidio's generator
    "PERSON": "NAME", "STREET_ADDRESS": "ADDRESS", "ADDRESS": "ADDRESS", "LOCATION": "ADDRESS", "GPE": "ADDRESS",
    "CREDIT_CARD": "ACCOUNT", "IBAN_CODE": "ACCOUNT", "PHONE_NUMBER": "PHONE", "DATE_TIME": "DATE",
    "EMAIL_ADDRESS": "EMAIL", "DOMAIN_NAME": "URL", "US_SSN": "SSN", "ZIP_CODE": "ZIP", "IP_ADDRESS": "IP",
    "US_DRIVER_LICENSE": "LICENSE", "AGE": "AGE",
    # ASQ-PHI
    "GEOGRAPHIC_LOCATION": "ADDRESS", "NAME": "NAME", "DATE": "DATE", "MEDICAL_RECORD_NUMBER": "MRN",
    "HEALTH_PLAN_BENEFICIARY_NUMBER": "ID", "SOCIAL_SECURITY_NUMBER": "SSN", "UNIQUE_IDENTIFIER": "ID",
    "CERTIFICATE_LICENSE_NUMBER": "LICENSE", "FAX_NUMBER": "FAX", "ACCOUNT_NUMBER": "ACCOUNT", "URL": "URL",
    "DEVICE_IDENTIFIER": "DEVICE", "VEHICLE_IDENTIFIER": "VEHICLE", "BIOMETRIC_IDENTIFIER": "BIOMETRIC",
    # MEDDOCAN
    "TERRITORIO": "ADDRESS", "FECHAS": "DATE", "EDAD_SUJETO_ASISTENCIA": "AGE", "NOMBRE_SUJETO_ASISTENCIA": "NAME",
    "NOMBRE_PERSONAL_SANITARIO": "NAME", "CALLE": "ADDRESS", "ID_SUJETO_ASISTENCIA": "MRN",
    "ID_TITULACION_PERSONAL_SANITARIO": "LICENSE", "CORREO_ELECTRONICO": "EMAIL", "ID_ASEGURAMIENTO": "ID",
    "HOSPITAL": "HOSPITAL", "CENTRO_SALUD": "HOSPITAL", "ID_CONTACTO_ASISTENCIAL": "ID", "NUMERO_TELEFONO": "PHONE",
    "NUMERO_FAX": "FAX", "ID_EMPLEO_PERSONAL_SANITARIO": "ID", "URL_WEB": "URL", "DIREC_PROT_INTERNET": "IP",
    "NUMERO_BENEF_PLAN_SALUD": "ID", "IDENTIF_BIOMETRICOS": "BIOMETRIC", "IDENTIF_DISPOSITIVOS_NRSERIE": "DEVICE",
    "IDENTIF_VEHICULOS_NRSERIE_PLACAS": "VEHICLE", "OTRO_NUMERO_IDENTIF": "ID",
    # neither asked nor wrong
    **dict.fromkeys((
        "ORGANIZATION", "TITLE", "PREFIX", "NRP", "NATIONALITY", "PAIS", "SEXO_SUJETO_ASISTENCIA", "PROFESION",
        "INSTITUCION", "FAMILIARES_SUJETO_ASISTENCIA", "OTROS_SUJETO_ASISTENCIA",
    )),
}  # fmt: skip
_OLD = re.compile(r"(?<!\d)(?:9\d|1\d\d)(?!\d)|ninet|hundred|novent|cient")


class Mark(NamedTuple):
    """`kind`: Osler's, None where finding it is neither asked nor wrong."""

    start: int
    end: int
    kind: str | None


class Item(NamedTuple):
    id: str
    group: str
    text: str
    marks: list[Mark]


class Deid(Task):
    headline = "recall"
    prompts = KINDS
    batch = 64

    def __init__(
        self, name: str, about: str, path: str, licence: str, item: Callable[[dict[str, Any]], "Item"]
    ) -> None:
        self.name, self.about, self.path, self.licence, self.item = name, about, path, licence, item

    def read(self, path: Path) -> Iterator[Item]:
        yield from map(self.item, rows(path))

    def methods(self) -> dict[str, Method]:
        return {"rules": Method("rules", "the detector of `osler deid`", model=False)}

    def ask(self, items: Sequence[Item], method: str, bench: Bench) -> list[Reply]:
        replies = []
        for item in items:
            began = time.perf_counter()
            spans = find_identifiers(item.text)
            seconds = round(time.perf_counter() - began, 4)
            said = [(span.start, span.end, span.type) for span in spans]
            replies.append(Reply(item.id, item.group, said, _scores(item, said), seconds=seconds))
        return replies

    def figures(self, items: Sequence[Item], replies: Sequence[Reply]) -> list[Figure]:
        kinds = sorted({mark.kind for item in items for mark in item.marks if mark.kind})
        return [
            figure("recall", replies, "recall, mean of texts"),
            pooled("recall", replies, "all covered", "all marked"),
            pooled("precision", replies, "spans right", "spans"),
            *(pooled(f"recall, {kind}", replies, f"{kind} covered", f"{kind} marked") for kind in kinds),
        ]


def _scores(item: Item, said: Sequence[tuple[int, int, str]]) -> dict[str, float]:
    """Recall of the item's identifiers and precision of its spans where there are any, and the counts, by kind too."""
    covered = {place for start, end, _ in said for place in range(start, end)}
    counts: Counter[str] = Counter({"all marked": 0, "all covered": 0})
    for mark in item.marks:
        hit = all(k in covered or item.text[k].isspace() for k in range(mark.start, mark.end))
        for name in ("all", mark.kind) if mark.kind else ():
            counts.update({f"{name} marked": 1, f"{name} covered": int(hit)})
    touched = [[mark.kind for mark in item.marks if start < mark.end and mark.start < end] for start, end, _ in said]
    claims = [any(kinds) for kinds in touched if any(kinds) or not kinds]  # what touches None alone claims nothing
    counts.update({"spans": len(claims), "spans right": sum(claims)})
    scores = {name: float(count) for name, count in counts.items()}
    if counts["all marked"]:
        scores["recall"] = counts["all covered"] / counts["all marked"]
    if claims:
        scores["precision"] = counts["spans right"] / len(claims)
    return scores


def _mark(text: str, start: int | None, end: int | None, kind: str) -> Mark | None:
    """None for a mark without a place. Raises InputError for a kind that nothing here decides on."""
    if start is None or end is None:
        return None
    if kind not in KINDS:
        raise InputError(f"unknown kind of identifier {kind!r}")
    young = KINDS[kind] == "AGE" and not _OLD.search(text[start:end])
    return Mark(start, end, None if young else KINDS[kind])


def _item(row: dict[str, Any], group: str, text: str, spans: str, start: str, end: str, kind: str) -> Item:
    marks = [_mark(row[text], one[start], one[end], one[kind]) for one in row[spans]]
    return Item(row["id"], str(row[group]), row[text], [mark for mark in marks if mark])


TASKS = (
    Deid(
        "deid_presidio", "synthetic sentences with personal data, by template", "deid/presidio_synth.jsonl.gz", "MIT",
        lambda row: _item(row, "template_id", "full_text", "spans", "start_position", "end_position", "entity_type"),
    ),
    Deid(
        "deid_asq_phi", "clinical queries with synthetic identifiers, and harmless ones", "deid/asq_phi_dev.jsonl.gz",
        "MIT", lambda row: _item(row, "id", "query", "phi_tags", "start", "end", "identifier_type"),
    ),
    Deid(
        "deid_meddocan", "Spanish case reports (MEDDOCAN); the rules know English and Chinese",
        "deid/meddocan_dev.jsonl.gz", "CC BY 4.0",
        lambda row: _item(row, "id", "text", "spans", "start", "end", "type"),
    ),
)  # fmt: skip
