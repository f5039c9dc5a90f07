"""How answers look in a terminal: width-aware, coloured only there, calm. It decides nothing."""

import sys
from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from osler.nouns import Evidence, Finding, Statement
from osler.text import has_chinese, shorten

if TYPE_CHECKING:
    from osler.knowledge.graph import Edge, Graph, Node, Path, SourceInfo
    from osler.knowledge.sources import ImportedSource
    from osler.ledger import Entry
    from osler.storage import JobRow
    from osler.trust.replay import Replay

VERDICT_STYLE = {"supported": "green", "partial": "yellow", "unsupported": "yellow", "contradicted": "red"}
MOST = 12  # rows of a long list on the page
STATUS_MARK = {"present": "", "absent": "− ", "uncertain": "? "}


@cache
def console() -> Console:
    """Standard output. Piped output gets 100 columns and no colour; rich itself honours NO_COLOR."""
    return Console(file=sys.stdout, highlight=False, width=None if sys.stdout.isatty() else 100)


def heading(title: str) -> None:
    console().print()
    console().print(Text(title, style="bold"))


def indented(line: Text | str, by: int = 2) -> None:
    """Print with every line, wrapped ones too, set in by `by` columns."""
    console().print(Padding(line, (0, 0, 0, by), expand=False))


def bar(value: float, most: float, width: int = 10) -> str:
    """A small horizontal bar, eighths of a cell fine; empty for nothing."""
    if most <= 0 or value <= 0:
        return ""
    eighths = max(1, round(width * 8 * min(value / most, 1.0)))
    return "█" * (eighths // 8) + ("▏▎▍▌▋▊▉"[eighths % 8 - 1] if eighths % 8 else "")


def plain_table(*columns: str, **kwargs: Any) -> Table:
    table = Table(
        box=None, pad_edge=False, padding=(0, 2, 0, 0), show_header=any(columns), header_style="dim", **kwargs
    )
    for name in columns:
        table.add_column(name, overflow="fold")
    return table


def show_statements(statements: Sequence[Statement], evidence: Sequence[Evidence]) -> None:
    """The statements with [1] [2], then the sources those numbers name."""
    by_id = {item.id: item for item in evidence}
    numbers: dict[str, int] = {}
    for statement in statements:
        for identifier in statement.evidence:
            numbers.setdefault(identifier, len(numbers) + 1)
    for statement in statements:
        line = Text(statement.text)
        line.append("".join(f" [{numbers[item]}]" for item in statement.evidence), style="cyan")
        if statement.verdict != "supported":
            line.append(f"  ({statement.verdict})", style=VERDICT_STYLE[statement.verdict])
        indented(line)
        for caution in statement.cautions:
            indented(Text(f"! {caution}", style="yellow"), by=4)
    if not numbers:
        return
    heading("Sources")
    table = plain_table("", "")
    for identifier, number in numbers.items():
        table.add_row(Text(f"  [{number}]", style="cyan"), source_line(by_id.get(identifier), identifier))
    console().print(table)


def source_line(item: Evidence | None, identifier: str) -> Text:
    """One line that names a source well enough to find it."""
    if item is None:
        return Text(identifier)
    source = item.source
    if item.kind in ("record", "case"):
        return Text(f"record: “{shorten(item.text, 90)}”")
    if item.kind in ("edge", "path"):
        return Text(f"graph: {item.text}") + Text(f"  {source.document_id or source.title or ''}", style="dim")
    page = f"p. {source.page}" if source.page else None
    parts = [source.title, source.section, page, str(source.year) if source.year else None, source.licence]
    line = Text(", ".join(part for part in parts if part))
    if item.retracted or item.superseded_by:
        line.append("  retracted" if item.retracted else f"  superseded by {item.superseded_by}", style="red")
    return line + Text(f"  {source.url or ''}", style="dim")


def show_evidence(found: Sequence[Evidence]) -> None:
    """Passages of a search, best first."""
    for number, item in enumerate(found, start=1):
        console().print(Text(f"{number:>2}  ", style="cyan") + source_line(item, item.id))
        indented(shorten(item.text, 260), 4)
    if not found:
        console().print("No passage found.")


def finding_text(finding: Finding) -> Text:
    """`− fever` absent, `? stroke` uncertain, with family, time and value said in words."""
    name = finding.text if finding.text and has_chinese(finding.text) else finding.label
    line = Text(f"{STATUS_MARK[finding.status]}{name}", style="dim" if finding.status == "absent" else "")
    notes = [
        finding.experiencer if finding.experiencer != "patient" else None,
        finding.time if finding.time != "current" else None,
        f"{finding.value:g} {finding.unit or ''}".strip() if finding.value is not None else None,
    ]
    if said := [note for note in notes if note]:
        line.append(f" ({', '.join(said)})", style="dim")
    return line


def show_findings(text: str, findings: Sequence[Finding]) -> None:
    table = plain_table("where", "written", "concept", "")
    for finding in findings:
        where = f"{finding.start}–{finding.end}"
        table.add_row(where, finding.text or "", finding_text(finding), Text(finding.code, style="dim"))
    console().print(table if findings else "No concept found.")


def show_entries(entries: Sequence["Entry"]) -> None:
    if not entries:
        console().print("The ledger is empty. `osler consult` or `osler ask` writes to it.")
        return
    table = plain_table("entry", "time", "kind", "seq")
    for entry in entries:
        table.add_row(entry.id, entry.time, entry.kind, str(entry.seq))
    console().print(table)


def show_trace(entry: "Entry", payload: dict[str, Any]) -> None:
    """One ledger entry: what was asked, every search, call and graph question, and where it stands in the chain."""
    console().print(Text(f"{entry.kind} {entry.id}", style="bold"), Text(entry.time, style="dim"))
    console().print(Text(f"entry {entry.seq}, hash {entry.hash[:16]}, commitment {entry.commitment[:16]}", style="dim"))
    trace = payload.get("trace")
    if trace is None:
        for key, value in payload.items():
            console().print(f"  {key}: {shorten(str(value), 160)}")
        return
    console().print(f"  method {trace['method']}, {trace['seconds']} s, parameters {trace['parameters']}")
    for search in trace["searches"]:
        count = len(search["passages"])
        console().print(f"  search {search['library']} “{shorten(search['query'], 70)}”: {count} passages")
    for call in trace["graph"]:
        console().print(f"  graph {call['operation']} {shorten(str(call['arguments']), 90)}")
    for call in trace["calls"]:
        console().print(f"  model {call['model']['spec']}: {shorten(call['output'], 90)}")
    answer = payload["output"].get("answer", payload["output"])
    heading("Answer")
    statements = [Statement(**item) for item in answer.get("statements", [])]
    show_statements(statements, [Evidence(**item) for item in payload["output"].get("evidence", [])])
    if answer.get("abstained"):
        console().print(f"  No answer: {answer['abstained']['reason']}.")
    console().print(Text(f"\nReplay: osler ledger replay {entry.id}", style="dim"))


def show_replay(result: "Replay") -> None:
    if result.same:
        calls = f", {result.calls} model call(s) token-equal" if result.calls else ""
        console().print(f"{result.id}: the same answer again{calls}.")
        return
    console().print(f"{result.id}: {len(result.differences)} difference(s).")
    table = plain_table("where", "then", "now")
    for item in result.differences[:40]:
        table.add_row(item.path, shorten(str(item.then), 60), shorten(str(item.now), 60))
    console().print(table)
    for note in result.notes:
        console().print(Text(note, style="dim"))


def show_jobs(rows: Sequence["JobRow"]) -> None:
    table = plain_table("job", "what", "status", "done", "updated", "")
    for row in rows:
        status = "stalled" if row.stalled else row.status
        done = f"{row.done}/{row.total}" if row.total else str(row.done)
        when = datetime.fromtimestamp(row.updated).astimezone().isoformat(timespec="seconds")
        table.add_row(row.id, f"{row.kind} {row.subject}", status, done, when, row.message or "")
    console().print(table)


def show_node(graph: "Graph", node: "Node", edges: Sequence["Edge"], others: Sequence["Node"]) -> None:
    title = Text(node.label, style="bold") + Text(f"  {node.id}  {node.kind}", style="dim")
    if node.label_zh:
        title.append(f"  {node.label_zh}")
    console().print(title)
    if node.definition:
        console().print(node.definition)
    if node.synonyms:
        console().print(Text(f"also {shorten(', '.join(node.synonyms), 200)}", style="dim"))
    if node.equivalents:
        console().print(Text(f"same as {', '.join(node.equivalents)}", style="dim"))
    table = plain_table("relation", "node", "", "source")
    for edge in edges[:40]:
        outward = edge.subject == node.id
        other = graph.find(edge.object if outward else edge.subject)
        name = other.label if other else (edge.object if outward else edge.subject)
        relation = edge.relation if outward else f"← {edge.relation}"
        frequency = f"{edge.frequency:.0%}" if edge.frequency is not None else ""
        reference = f"{edge.source} {edge.reference or ''}"
        table.add_row(relation, name, frequency, Text(shorten(reference, 50), style="dim"))
    console().print(table)
    if len(edges) > 40:
        console().print(Text(f"and {len(edges) - 40} more edges; --relation or --json shows them", style="dim"))
    if others:
        named = ", ".join(f"{item.label} ({item.id})" for item in others)
        console().print(Text(f"near: {named}", style="dim"))


def show_paths(graph: "Graph", a: "Node", b: "Node", paths: Sequence["Path"]) -> None:
    if not paths:
        console().print(f"No path of useful length between {a.label} and {b.label}.")
    for path in paths:
        line = Text(graph.node(path.nodes[0]).label)
        for edge, code in zip(path.edges, path.nodes[1:], strict=True):
            forward = edge.object == code
            line.append(f" —{edge.relation}→ " if forward else f" ←{edge.relation}— ", style="cyan")
            line.append(graph.node(code).label)
        console().print(line)
        cited = ", ".join(dict.fromkeys(f"{edge.source} {edge.reference or ''}".strip() for edge in path.edges))
        console().print(Text(f"  {shorten(cited, 200)}", style="dim"))


def show_sources(sources: Sequence["SourceInfo"]) -> None:
    table = plain_table("source", "version", "licence", "attribution")
    for item in sources:
        table.add_row(item.name, item.version, item.licence, shorten(item.attribution, 90))
    console().print(table)


def show_imported(source: "ImportedSource", whole: bool = False) -> None:
    """An imported source on a line with whether it acts; `whole`: what its import found, too."""
    line = Text(f"{source.name} {source.version}", style="bold")
    line.append(f"  {source.kind} · licence {source.licence}", style="dim")
    if source.approval:
        line.append(f"  approved by {source.approval.by}, {source.approval.time[:10]}", style="green")
    else:
        line.append(f"  waits for `osler graph approve {source.name}`", style="yellow")
    console().print(line)
    report = source.report
    indented(Text(" · ".join(f"{count:,} {what}" for what, count in report.counts.items()), style="dim"))
    if not whole:
        return
    for conflict in report.conflicts[:MOST]:
        indented(Text(f"{conflict.id}, {conflict.what}: here {conflict.known}, imported {conflict.imported}"))
    for item in report.unused[:MOST]:
        indented(Text(f"not used: {item.where}: {item.why}", style="yellow"))
    more = max(0, len(report.conflicts) - MOST) + max(0, len(report.unused) - MOST)
    if more:
        indented(Text(f"and {more:,} more; --json lists them all", style="dim"))
