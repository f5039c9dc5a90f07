"""From a draft to a signed report: versions, who changed what, the hash that is signed, amendments.

Every version is an entry of the ledger about the draft; a signed one never changes, it is amended by a further one.
What a reviewer writes stands as theirs: it keeps its sentence's sources and is put to the verifier again.
"""

import hashlib
from collections.abc import Sequence
from typing import NamedTuple

import sqlalchemy as sa

from osler.clinic.desk import Desk
from osler.clinic.feedback import keep
from osler.clinic.reports.facts import WORDS
from osler.clinic.reports.report import Report, Status
from osler.errors import InputError, IntegrityError
from osler.ledger import Ledger
from osler.ledger.chain import canonical, now
from osler.nouns import Noun, Principal, Statement, dump
from osler.reasoning.verify import verify
from osler.settings import Settings
from osler.storage import metadata, open_database, writing

SIGNED = ("signed", "amended")

versions_table = sa.Table(
    "report_versions",
    metadata,
    sa.Column("report", sa.String, primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True),  # two writers of one number: the second fails
    sa.Column("entry", sa.String, nullable=False),
    sa.Column("status", sa.String, nullable=False),
    sa.Column("sha256", sa.String),
    sa.Column("who", sa.String, nullable=False),
    sa.Column("made", sa.String, nullable=False),
)


class Change(Noun):
    """`statement`: the sentence that is changed, or null for a new one of `section`. `text`: its new words, null to
    take it out."""

    statement: str | None = None
    section: str | None = None
    text: str | None = None
    reason: str | None = None


class Version(NamedTuple):
    """`number` 0 is the draft. `sha256`: of the canonical JSON (RFC 8785) of a signed report."""

    number: int
    entry: str
    status: Status
    sha256: str | None
    who: str | None
    made: str | None


class Held(NamedTuple):
    """A report as it stands, and how it came to be so."""

    report: Report
    versions: list[Version]

    @property
    def last(self) -> Version:
        return self.versions[-1]


def held(id: str, ledger: Ledger, settings: Settings) -> Held:
    """The report of a draft's id as it stands now. Raises NoEntry, Erased, IntegrityError for a changed signed one."""
    if ledger.entry(id).kind != "report":
        raise InputError("this entry is no report", where=id)
    query = sa.select(versions_table).where(versions_table.c.report == id).order_by(versions_table.c.number)
    with open_database(settings).connect() as connection:
        rows = connection.execute(query).all()
    made = [Version(0, id, "draft", None, None, None)]
    made += [Version(row.number, row.entry, row.status, row.sha256, row.who, row.made) for row in rows]
    payload = ledger.payload(made[-1].entry)
    report = Report(**(payload["output"] if len(made) == 1 else payload["report"]))
    if made[-1].sha256 is not None and digest(report) != made[-1].sha256:
        raise IntegrityError("the signed report is not the one that was signed", where=id)
    return Held(report, made)


def edit(id: str, changes: Sequence[Change], desk: Desk, who: Principal, consent: bool = False) -> Held:
    """A further version with the changes. `consent`: what was changed may align a model.

    Raises InputError for a sentence that isn't there, and for a signed report.
    """
    found = held(id, desk.ledger, desk.settings)
    if found.last.status in SIGNED:
        raise InputError("a signed report can't change", where=id, hint="Amend it, with a reason.")
    _enter(id, found, _changed(found.report, changes, who, "edited"), changes, desk, who, None)
    _told(id, found.report, changes, desk, who, consent)
    return held(id, desk.ledger, desk.settings)


def sign(id: str, desk: Desk, who: Principal) -> Held:
    """The report as it stands becomes final under this name. Raises InputError for one that is signed."""
    found = held(id, desk.ledger, desk.settings)
    if found.last.status in SIGNED:
        raise InputError(f"it was signed by {found.last.who}", where=id, hint="Amend it, with a reason.")
    _enter(id, found, found.report.model_copy(update={"status": "signed"}), [], desk, who, None)
    return held(id, desk.ledger, desk.settings)


def amend(id: str, changes: Sequence[Change], desk: Desk, who: Principal, reason: str, consent: bool = False) -> Held:
    """A further signed version, beside the former one. Raises InputError for a report that was never signed, for no
    change and for no reason."""
    found = held(id, desk.ledger, desk.settings)
    if found.last.status not in SIGNED:
        raise InputError("it is not signed yet", where=id, hint="Edit it.")
    if not reason.strip() or not changes:
        raise InputError("an amendment needs a change and a reason", where=id)
    _enter(id, found, _changed(found.report, changes, who, "amended"), changes, desk, who, reason.strip())
    _told(id, found.report, changes, desk, who, consent)
    return held(id, desk.ledger, desk.settings)


def digest(report: Report) -> str:
    """sha256 of the canonical JSON of a report."""
    return hashlib.sha256(canonical(dump(report))).hexdigest()


def _enter(
    id: str, found: Held, report: Report, changes: Sequence[Change], desk: Desk, who: Principal, reason: str | None
) -> None:
    number, former = found.last.number + 1, found.last
    words, name = WORDS[report.language], who.name or who.id
    notice = words[report.status].format(who=name, date=now()[:10], reason=(reason or "").rstrip(".。"))
    report = report.model_copy(update={"notice": notice})
    sha = digest(report) if report.status in SIGNED else None
    payload = {
        "report": dump(report),
        "changes": dump(list(changes)),
        "number": number,
        "former": {"entry": former.entry, "sha256": former.sha256},
        "sha256": sha,
        "who": who.id,
        "name": who.name,
        "reason": reason,
    }
    entry = desk.ledger.append(f"report-{report.status}", payload, about=id)
    row = {"report": id, "number": number, "entry": entry.id, "status": report.status, "sha256": sha}
    try:
        with writing(open_database(desk.settings)) as connection:
            connection.execute(sa.insert(versions_table).values(**row, who=name, made=now()))
    except sa.exc.IntegrityError:
        hint = "Read it again before changing it."
        raise InputError("somebody else changed the report in the meantime", where=id, hint=hint) from None


def _changed(report: Report, changes: Sequence[Change], who: Principal, status: Status) -> Report:
    sections = {part.key: list(part.statements) for part in report.sections}
    evidence = {item.id: item for item in report.evidence}
    for change in changes:
        text = " ".join((change.text or "").split()) or None
        if change.statement is None:
            if change.section not in sections or text is None:
                hint = f"Sections: {', '.join(sections)}."
                raise InputError("a new sentence needs a text and a section", hint=hint)
            caution = f"written by {who.name or who.id}, not taken from the record"
            sections[change.section].append(Statement(text=text, section=change.section, cautions=[caution]))
            continue
        said = next((said for said in sections.values() for one in said if one.text == change.statement), None)
        if said is None:
            raise InputError("the report has no such sentence", where=change.statement[:80])
        k = next(k for k, one in enumerate(said) if one.text == change.statement)
        if text is None:
            del said[k]
            continue
        before = said[k]
        verdict = verify(text, [evidence[one] for one in before.evidence if one in evidence]).verdict
        cautions = [*before.cautions, f"worded by {who.name or who.id}"]
        said[k] = before.model_copy(update={"text": text, "verdict": verdict, "cautions": cautions})
    parts = [
        part.model_copy(update={"statements": sections[part.key], "note": None if sections[part.key] else part.note})
        for part in report.sections
    ]
    return report.model_copy(update={"sections": parts, "status": status})


def _told(id: str, before: Report, changes: Sequence[Change], desk: Desk, who: Principal, consent: bool) -> None:
    """Changes of the draft's own sentences, kept as what reviewers say of statements: data for alignment."""
    drafted = {one["text"] for part in desk.ledger.payload(id)["output"]["sections"] for one in part["statements"]}
    for change in changes:
        if change.statement is None or change.statement not in drafted:
            continue
        verdict = "edited" if change.text else "wrong"
        said = {"trace_id": id, "statement": change.statement, "verdict": verdict, "text": change.text}
        keep(desk, {**said, "reason": change.reason, "consent": consent}, who)
