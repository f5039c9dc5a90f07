"""A consult on one screen: danger first, then what it may mean and why. It decides nothing."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.console import Group
from rich.text import Text

from osler.cli.show import bar, console, finding_text, heading, indented, plain_table, show_statements
from osler.nouns import Contribution, NextQuestion, RankedDisease, Trace
from osler.record.case import Case
from osler.text import shorten

if TYPE_CHECKING:
    from osler.clinic.consult import Consult
    from osler.ledger import Entry

URGENCY_STYLE = {"immediate": "bold red", "urgent": "red", "soon": "yellow"}
SEVERITY_STYLE = {"contraindicated": "bold red", "major": "red", "moderate": "yellow", "minor": "dim"}
ROWS = 5
WORTH_SHOWING = 0.02  # of a score


def show_consult(result: "Consult", trace: Trace, entry: "Entry", seconds: float) -> None:
    console().print(_case_line(result.case))
    _red_flags(result)
    _findings(result)
    show_differential(result.differential)
    show_questions(result.next_questions)
    _alerts(result)
    heading("Answer")
    if result.answer.abstained:
        indented(Text(f"No disease is singled out: {result.answer.abstained.reason}.", style="yellow"))
        if result.answer.abstained.missing:
            indented(f"What would help: {', '.join(result.answer.abstained.missing)}.")
    show_statements(result.answer.statements, result.evidence)
    _not_checked(result)
    _foot(result, trace, entry, seconds)


def _case_line(case: Case) -> Text:
    patient = case.patient
    age = patient.age.removeprefix("P") if patient.age else "age not known"
    line = Text("Case  ", style="bold")
    line.append(f"{patient.sex or 'sex not known'}, {age}")
    counts: dict[str, Sequence[object]] = {
        "conditions": case.conditions,
        "medications": case.medications,
        "allergies": case.allergies,
        "observations": case.observations,
        "documents": case.documents,
    }
    kept = ", ".join(
        f"{len(items)} {name if len(items) != 1 else _singular(name)}" for name, items in counts.items() if items
    )
    line.append(f"  {case.kind}" + (f" with {kept}" if kept else ""), style="dim")
    if case.unread:
        line.append(f"  {len(case.unread)} part(s) not read (--json lists them)", style="yellow")
    return line


def _singular(name: str) -> str:
    return "allergy" if name == "allergies" else name.removesuffix("s")


def _red_flags(result: "Consult") -> None:
    for flag in result.red_flags:
        line = Text(f"\n▲ {flag.label}", style=URGENCY_STYLE[flag.urgency])
        line.append(f"  {flag.urgency}", style="dim")
        console().print(line)
        indented(Text(f"because of {shorten(', '.join(flag.because), 150)}", style="dim"))
        indented(flag.action)


def _findings(result: "Consult") -> None:
    heading("Findings")
    phenotypes = {(item.source, item.start) for item in result.findings if item.code.startswith("HP:")}
    seen: dict[tuple[str, str, str], Text] = {}
    for item in result.findings:
        # A disease of the same words as a phenotype is said once.
        if item.code.startswith("HP:") or (item.start is None or (item.source, item.start) not in phenotypes):
            seen.setdefault((item.code, item.status, item.experiencer), finding_text(item))
    if not seen:
        console().print("  none recognised")
        return
    indented(Text(" · ").join(list(seen.values())[:40]))
    if len(seen) > 40:
        console().print(Text(f"  and {len(seen) - 40} more", style="dim"))


def show_differential(ranked: Sequence[RankedDisease], rows: int = ROWS) -> None:
    """The leading diseases with what speaks for and against each."""
    if not ranked:
        return
    heading("Differential")
    table = plain_table("", "disease", "score", "speaks for it", "speaks against · usual but not mentioned")
    for column, ratio in zip(table.columns, (None, 5, None, 6, 6), strict=True):
        column.ratio = ratio
    table.expand = True
    best, least = ranked[0].score, min(item.score for item in ranked)
    for rank, item in enumerate(ranked[:rows], start=1):
        share = bar(item.score - least + 0.1 * (best - least), 1.1 * (best - least), 6) if best > least else ""
        name = Group(Text(item.label), Text(item.id, style="dim"))
        score = Group(Text(f"{item.score:.2f}"), Text(share, style="cyan"))
        table.add_row(f"  {rank}", name, score, _labels(item.for_), _against(item))
    console().print(table)
    more = len(ranked) - rows
    if more > 0:
        console().print(Text(f"     and {more} more; scores compare diseases within this case only", style="dim"))


def _labels(contributions: Sequence[Contribution]) -> Text:
    return Text(", ".join(entry.label for entry in contributions[:4] if entry.score > WORTH_SHOWING))


def _against(item: RankedDisease) -> Text:
    against = [entry.label for entry in item.against[:3] if entry.score < -WORTH_SHOWING]
    line = Text("− " + ", ".join(against) if against else "")
    if item.missing:
        line.append(" · " if line else "")
        line.append(", ".join(entry.label for entry in item.missing[:3]), style="dim")
    return line


def show_questions(questions: Sequence[NextQuestion]) -> None:
    if not questions:
        return
    heading("Ask next")
    for item in questions[:3]:
        line = Text(item.question)
        line.append(f"  {item.kind}, {item.expected_information:.2f} bits", style="dim")
        indented(line)


def _alerts(result: "Consult") -> None:
    if result.alerts:
        heading("Drug safety")
    for alert in result.alerts:
        line = Text(alert.severity, style=SEVERITY_STYLE[alert.severity])
        line.append(f"  {alert.message}", style="")
        indented(line)
        indented(Text(alert.management, style="dim"), 4)


def _not_checked(result: "Consult") -> None:
    if not result.coverage.not_checked:
        return
    named = "; ".join(f"{item.what} ({item.why})" for item in result.coverage.not_checked)
    console().print()
    console().print(Text("Not checked  ", style="bold") + Text(shorten(named, 300)))


def _foot(result: "Consult", trace: Trace, entry: "Entry", seconds: float) -> None:
    versions = result.coverage.knowledge
    library = next((value for key, value in versions.items() if key.startswith("library")), "none")
    known = f"HPO {versions.get('hpoa', 'none')}, library {library[:8]}"
    model = trace.calls[0].model.spec if trace.calls else result.answer.withheld or "no language model used"
    console().print()
    console().print(
        Text(
            f"For professional review · {result.answer.mode}, {model} · {known} · {seconds:.1f} s · "
            f"ledger entry {entry.id} · replay: osler ledger replay {entry.id}",
            style="dim",
        )
    )
