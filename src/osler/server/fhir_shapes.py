"""What Osler wrote as FHIR R4, made on reading from an entry of the ledger and what it holds.

Nobody has reviewed it: reports are `partial`, issues `preliminary`, an impression is `in-progress`. A differential is a
ClinicalImpression, not a RiskAssessment: its scores are no likelihoods. It knows no request.
"""

import base64
import html
import re
import tomllib
from collections.abc import Iterable
from functools import partial
from typing import Any, Literal

from osler.clinic.reports import Report
from osler.ledger import Entry, Ledger
from osler.ledger.fhir import SYSTEM, resources_of
from osler.nouns import Answer, Evidence
from osler.record import read as read_record
from osler.server.cds_cards import CDS
from osler.server.look import HERE
from osler.server.openai_door import REVIEW, told
from osler.text import has_chinese

FHIR = tomllib.loads((HERE / "data" / "fhir.toml").read_text(encoding="utf-8"))
ID = re.compile(r"[A-Za-z0-9\-.]{1,64}")
_DATE = re.compile(r"\d{4}(-\d\d(-\d\d)?)?")
_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
OSLER = {"type": "Device", "display": "Osler"}
Resource = dict[str, Any]


def written(entry: Entry, held: dict[str, Any], ledger: Ledger, base: str) -> list[Resource]:
    """All resources of a consult, an answer or a report. `base`: the server's address."""
    if entry.kind == "report":
        return reported(entry, held, ledger, base)
    output, consult = held["output"], "case" in held["output"]
    answer, evidence = Answer(**output["answer"]), [Evidence(**item) for item in output["evidence"]]
    chinese = output["case"]["language"] == "zh" if consult else has_chinese(answer.question)
    language: Literal["en", "zh"] = "zh" if chinese else "en"
    says, trace = FHIR[language], {"system": SYSTEM, "value": entry.id}
    kind = "consult" if consult else "ask"
    of = partial(_filled, entry, language)
    patient = _patient(output["case"]["patient"], entry.id) if consult else {}
    subject = {"reference": f"Patient/{patient['id']}", "type": "Patient"} if consult else None
    code = {"coding": [FHIR["note"]], "text": says["consult"]} if consult else {"text": says["ask"]}
    note, time = [{"text": REVIEW[language]}], entry.time
    text = "".join(part for part, _ in told(answer, evidence, language, "")).strip()
    answered = [*text.splitlines(), *_sources(answer, evidence, says)]
    diseases, alerts = output.get("differential", []), output.get("alerts", [])
    gaps = [says["gap"].format_map(gap) for gap in output["coverage"]["not_checked"]] if consult else []
    flags = [says["flag"].format_map(flag) for flag in output.get("red_flags", [])]
    severity = CDS[language]["severity"]
    warned = [says["alert"].format_map({**alert, "severity": severity[alert["severity"]]}) for alert in alerts]
    named = [says["candidate"].format(n=n, label=one["label"]) for n, one in enumerate(diseases, 1)]
    codes = [coded([one["id"], *one["equivalents"]], name) for one, name in zip(diseases, named, strict=True)]
    sources = {item.id: item.source.url for item in evidence}
    made: list[Resource] = []
    if consult:
        found = {
            one["code"]: coded([one["code"]], says["finding"].format(label=one["label"]))
            for one in output["findings"]
            if one["code"].startswith("HP:") and (one["status"], one["experiencer"]) == ("present", "patient")
        }
        conclusion = "\n".join([*flags, *warned, *answered])
        made.append(
            of("DiagnosticReport", identifier=[trace], status="partial", code=code, subject=subject, issued=time,
               effectiveDateTime=time, conclusion=conclusion, conclusionCode=[*codes, *found.values()])
        )  # fmt: skip
    bases = [_basis(one, says) for one in diseases]
    if diseases:
        findings = [{"itemCodeableConcept": of_, "basis": basis} for of_, basis in zip(codes, bases, strict=True)]
        made.append(
            of("ClinicalImpression", identifier=[trace], status="in-progress", subject=subject, date=time,
               summary=REVIEW[language], finding=findings, note=note)
        )  # fmt: skip
    for n, (alert, detail) in enumerate(zip(alerts, warned, strict=True), 1):
        issue, display = FHIR["issues"][alert["kind"]]
        what = {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": issue, "display": display}
        cited = [url for id in alert["evidence"] if (url := sources.get(id))]
        made.append(
            of("DetectedIssue", id=f"{entry.id}.{n}", identifier=[{**trace, "value": f"{entry.id}.{n}"}],
               status="preliminary", code={"coding": [what]}, severity=FHIR["severity"][alert["severity"]],
               patient=subject, identifiedDateTime=time, author=OSLER, detail=detail,
               implicated=[{"display": drug} for drug in alert["drugs"]], reference=cited[0] if cited else None)
        )  # fmt: skip
    sections = [
        _section(says["answer"], answered),
        _section(says["flags"], flags),
        _section(says["differential"], map(" — ".join, zip(named, bases, strict=True)), made, "ClinicalImpression"),
        _section(says["alerts"], warned, made, "DetectedIssue"),
        _section(says["questions"], [one["question"] for one in output.get("next_questions", [])]),
        _section(says["gaps"], gaps),
    ]
    about: Resource = {"subject": subject, "date": time, "author": [OSLER]}
    made.append(
        of("Composition", identifier=trace, status="preliminary", type=code, title=code["text"], **about,
           section=[section for section in sections if section])
    )  # fmt: skip
    file = {"contentType": "application/json", "url": f"{base}/api/v1/{'consult' if consult else 'answer'}s/{entry.id}",
            "language": language, "title": code["text"], "creation": time}  # fmt: skip
    made.append(
        of("DocumentReference", masterIdentifier=trace, identifier=[trace], status="current", docStatus="preliminary",
           type=code, description=REVIEW[language], content=[{"attachment": file}], **about)
    )  # fmt: skip
    made.append(
        of("GuidanceResponse", requestIdentifier=trace, identifier=[trace], moduleUri=f"urn:osler:{kind}",
           status="data-required" if answer.abstained else "success", subject=subject, occurrenceDateTime=time,
           performer=OSLER, note=note, reasonCode=None if consult else [{"text": answer.question}],
           evaluationMessage=[{"reference": "#gaps"}] if gaps else None, outputParameters={"reference": "#output"},
           contained=[_outputs(made), *([outcome("incomplete", gaps, "gaps")] if gaps else [])])
    )  # fmt: skip
    if consult:
        made.append(of("Patient", **patient))
    return [*made, *events(entry, ledger, made)]


def reported(entry: Entry, held: dict[str, Any], ledger: Ledger, base: str) -> list[Resource]:
    """A report as a Composition of its sections, each sentence as it was drafted."""
    report, given = Report(**held["output"]), held["input"]
    of, says = partial(_filled, entry, report.language), FHIR[report.language]
    record = read_record(base64.b64decode(given["base64"]), name=given["name"])
    patient = _patient(record.patient.model_dump(mode="json"), entry.id)
    trace = {"system": SYSTEM, "value": entry.id}
    known = FHIR["reports"].get(report.kind)
    coding = [{"system": FHIR["note"]["system"], "code": known[0], "display": known[1]}] if known else []
    about: Resource = {
        "type": {**({"coding": coding} if coding else {}), "text": report.title}, "date": entry.time,
        "subject": {"reference": f"Patient/{patient['id']}", "type": "Patient"}, "author": [OSLER],
    }  # fmt: skip
    sections = [
        _section(part.title, [*(statement.text for statement in part.statements), part.note or ""])
        for part in report.sections
    ]
    sections.append(_section(says["left_out"], [one.what for one in report.omissions]))
    status = {"signed": "final", "amended": "amended"}.get(report.status, "preliminary")
    file = {"contentType": "application/json", "url": f"{base}/api/v1/reports/{entry.id}", "language": report.language,
            "title": report.title, "creation": entry.time}  # fmt: skip
    made = [
        of("Composition", identifier=trace, status=status, title=report.title, **about,
           section=[section for section in sections if section]),
        of("DocumentReference", masterIdentifier=trace, identifier=[trace], status="current", docStatus=status,
           description=REVIEW[report.language], content=[{"attachment": file}], **about),
        of("Patient", **patient),
    ]  # fmt: skip
    return [*made, *events(entry, ledger, made)]


def events(entry: Entry, ledger: Ledger, made: list[Resource]) -> list[Resource]:
    """The AuditEvent of an entry and, where something was made, the Provenance of that, as the ledger exports them."""
    found = [one for one in resources_of(entry, ledger) if made or one["resourceType"] == "AuditEvent"]
    for one in found:
        one |= {"id": entry.id, **_meta(entry)}
        if one["resourceType"] == "Provenance":
            one["target"] += [_to(each) for each in made if each["resourceType"] != "Patient"]
    return found


def outcome(code: str, said: list[str], id: str | None = None) -> Resource:
    """An OperationOutcome of warnings."""
    issues = [{"severity": "warning", "code": code, "diagnostics": one} for one in said]
    return {"resourceType": "OperationOutcome", **({"id": id} if id else {}), "issue": issues}


def bundle(type: str, resources: Iterable[Resource], base: str, **more: Any) -> Resource:
    """A Bundle of resources by their addresses; of a search, each as a match."""
    found = {"search": {"mode": "match"}} if type == "searchset" else {}
    entries = [{**_address(one, base), "resource": one, **found} for one in resources]
    return {"resourceType": "Bundle", "type": type, **more, **({"entry": entries} if entries else {})}


def coded(ids: list[str], text: str) -> Resource:
    """A concept by those of its identifiers whose systems FHIR has a name for."""
    codings = []
    for id in dict.fromkeys(ids):
        prefix, _, code = id.partition(":")
        if system := FHIR["systems"].get(prefix):
            codings.append({"system": system["uri"], "code": id if system["whole"] else code})
    return {**({"coding": codings} if codings else {}), "text": text}


def _filled(entry: Entry, language: str, kind: str, id: str = "", **content: Any) -> Resource:
    """A resource of an entry, without what is empty."""
    filled = {name: value for name, value in content.items() if value not in (None, "", [], {})}
    return {"resourceType": kind, "id": id or entry.id, **_meta(entry), "language": language, **filled}


def _meta(entry: Entry) -> Resource:
    """Nothing that was written changes."""
    return {"meta": {"versionId": "1", "lastUpdated": entry.time}}


def _to(resource: Resource) -> Resource:
    return {"reference": f"{resource['resourceType']}/{resource['id']}"}


def _address(resource: Resource, base: str) -> Resource:
    return {"fullUrl": f"{base}/fhir/{_to(resource)['reference']}"} if "id" in resource else {}


def _patient(person: dict[str, Any], trace: str) -> Resource:
    """Whom it is about: under the record's own id, or the trace's where the record has none that FHIR allows."""
    known, born = person["id"] or "", person["birth_date"] or ""
    return {
        "id": known if ID.fullmatch(known) else trace,
        "identifier": [{"value": known}] if known.strip() else [],
        "gender": person["sex"],
        "birthDate": born if _DATE.fullmatch(born) else None,
    }


def _sources(answer: Answer, evidence: list[Evidence], says: dict[str, str]) -> list[str]:
    """The evidence behind the marks of the statements, a line each."""
    names = {item.id: item.source.title or item.text for item in evidence}
    cited = dict.fromkeys(id for statement in answer.statements for id in statement.evidence)
    return [says["source"].format(n=n, title=names.get(id, id)) for n, id in enumerate(cited, 1)]


def _basis(disease: dict[str, Any], says: dict[str, str]) -> str:
    """The findings for and against a disease."""
    sides = {side: says["join"].join(one["label"] for one in disease[side]) for side in ("for", "against")}
    return says["basis"].format_map({side: labels or says["nothing"] for side, labels in sides.items()})


def _section(title: str, lines: Iterable[str], made: Iterable[Resource] = (), type: str = "") -> Resource | None:
    """A section of a Composition, with the resources of a type that it tells of; none without a line."""
    paragraphs = "".join(f"<p>{html.escape(_NO_XML.sub(' ', line))}</p>" for line in lines if line.strip())
    if not paragraphs:
        return None
    refers = [_to(one) for one in made if one["resourceType"] == type]
    div = f'<div xmlns="http://www.w3.org/1999/xhtml">{paragraphs}</div>'
    return {
        "title": title,
        "text": {"status": "generated", "div": div},
        **({"entry": refers} if refers else {}),
    }


def _outputs(made: list[Resource]) -> Resource:
    """The outputs of a GuidanceResponse, which has no other place for them."""
    named = [{"name": one["resourceType"], "valueReference": _to(one)} for one in made]
    return {"resourceType": "Parameters", "id": "output", "parameter": named}
