"""Writes a report to a file: JSON, Markdown, DOCX, PDF or DICOM SR, each sentence with the number of its source."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from osler.clinic.reports.report import Report
from osler.clinic.reports.structured import structured
from osler.errors import InputError
from osler.models.files import write_atomically

LABELS = {
    "en": {"sources": "Sources", "left_out": "Not in this report", "trace": "Ledger entry", "status": "Status"},
    "zh": {"sources": "出处", "left_out": "本报告未包含", "trace": "账本条目", "status": "状态"},
}


def write(report: Report, target: Path) -> None:
    """The report in the format of the file's ending, whole or not at all. Raises InputError where that fails."""
    try:
        write_atomically(target, WRITERS[target.suffix](report))
    except OSError as error:
        raise InputError(f"can't be written: {error.strerror}", where=str(target)) from None


def markdown(report: Report) -> bytes:
    says, numbers = LABELS[report.language], _numbers(report)
    lines = [f"# {report.title}", "", f"*{report.notice}*", ""]
    for part in report.sections:
        lines += [f"## {part.title}", ""]
        for statement in part.statements:
            cited = "".join(f" [{numbers[id]}]" for id in statement.evidence)
            verdict = "" if statement.verdict == "supported" else f" *({statement.verdict})*"
            lines.append(f"- {_escaped(statement.text)}{cited}{verdict}")
        lines += ["", part.note, ""] if part.note else [""]
    if report.omissions:
        lines += [f"## {says['left_out']}", "", *(f"- {_escaped(one.what)}" for one in report.omissions), ""]
    lines += [f"## {says['sources']}", ""]
    lines += [f"{number}. {_escaped(text)}" for number, text in _sources(report, numbers)]
    lines += ["", f"{says['status']}: {report.status} · {says['trace']}: {report.trace_id}", ""]
    return "\n".join(lines).encode()


def docx(report: Report) -> bytes:
    import io

    from docx import Document

    says, numbers = LABELS[report.language], _numbers(report)
    made = Document()
    made.core_properties.title, made.core_properties.author = report.title, "Osler"
    made.add_heading(report.title, 0)
    made.add_paragraph(report.notice).runs[0].italic = True
    for part in report.sections:
        made.add_heading(part.title, 1)
        for statement in part.statements:
            line = made.add_paragraph(statement.text, style="List Bullet")
            line.add_run("".join(f" [{numbers[id]}]" for id in statement.evidence)).font.superscript = True
            if statement.verdict != "supported":
                line.add_run(f" ({statement.verdict})").italic = True
        if part.note:
            made.add_paragraph(part.note).runs[0].italic = True
    if report.omissions:
        made.add_heading(says["left_out"], 1)
        for one in report.omissions:
            made.add_paragraph(one.what, style="List Bullet")
    made.add_heading(says["sources"], 1)
    for number, text in _sources(report, numbers):
        made.add_paragraph(f"{number}. {text}")
    made.add_paragraph(f"{says['status']}: {report.status} · {says['trace']}: {report.trace_id}")
    content = io.BytesIO()
    made.save(content)
    return content.getvalue()


def pdf(report: Report) -> bytes:
    """A4 pages. Chinese is set in a font that PDF readers have or fetch (Adobe's STSong-Light): it isn't embedded."""
    import io
    from xml.sax.saxutils import escape

    from reportlab.lib.pagesizes import A4
    from reportlab.lib.styles import ParagraphStyle
    from reportlab.pdfbase import pdfmetrics
    from reportlab.pdfbase.cidfonts import UnicodeCIDFont
    from reportlab.platypus import Paragraph, SimpleDocTemplate, Spacer

    pdfmetrics.registerFont(UnicodeCIDFont("STSong-Light"))
    says, numbers = LABELS[report.language], _numbers(report)
    wrap = "CJK" if report.language == "zh" else None

    def set_in(text: str, size: float, before: float = 0, left: float = 0) -> Paragraph:
        plain = text.encode("cp1252", "ignore").decode("cp1252") == text
        style = ParagraphStyle(
            "x", fontName="Helvetica" if plain else "STSong-Light", fontSize=size, leading=size * 1.4,
            spaceBefore=before, leftIndent=left, wordWrap=wrap,
        )  # fmt: skip
        return Paragraph(escape(text), style)

    made = [set_in(report.title, 18), set_in(report.notice, 9), Spacer(1, 6)]
    for part in report.sections:
        made.append(set_in(part.title, 13, 10))
        for statement in part.statements:
            cited = "".join(f" [{numbers[id]}]" for id in statement.evidence)
            verdict = "" if statement.verdict == "supported" else f" ({statement.verdict})"
            made.append(set_in(f"{statement.text}{cited}{verdict}", 10, 2, 8))
            made += [set_in(caution, 8, 0, 16) for caution in statement.cautions]
        made += [set_in(part.note, 9, 2, 8)] if part.note else []
    if report.omissions:
        made.append(set_in(says["left_out"], 13, 10))
        made += [set_in(one.what, 10, 2, 8) for one in report.omissions]
    made.append(set_in(says["sources"], 13, 10))
    made += [set_in(f"{number}. {text}", 8, 1, 8) for number, text in _sources(report, numbers)]
    foot = f"{says['status']}: {report.status} · {says['trace']}: {report.trace_id}"

    def footed(canvas: Any, page: Any) -> None:
        canvas.setFont("Helvetica" if report.language == "en" else "STSong-Light", 8)
        canvas.drawString(50, 28, f"{foot} · {page.page}")

    content = io.BytesIO()
    document = SimpleDocTemplate(content, pagesize=A4, title=report.title, author="Osler", invariant=1,
                                 leftMargin=50, rightMargin=50, topMargin=50, bottomMargin=50)  # fmt: skip
    document.build(made, onFirstPage=footed, onLaterPages=footed)
    return content.getvalue()


def _numbers(report: Report) -> dict[str, int]:
    cited = (id for part in report.sections for statement in part.statements for id in statement.evidence)
    return {id: number for number, id in enumerate(dict.fromkeys(cited), start=1)}


def _sources(report: Report, numbers: dict[str, int]) -> list[tuple[int, str]]:
    known = {item.id: item for item in report.evidence}
    return [(number, f"{id}: {known[id].text}") for id, number in numbers.items() if id in known]


def _escaped(text: str) -> str:
    """Text that Markdown takes as text: the record may hold its signs."""
    for sign in "\\`*_{}[]<>#|":
        text = text.replace(sign, f"\\{sign}")
    return " ".join(text.split())


WRITERS: dict[str, Callable[[Report], bytes]] = {
    ".json": lambda report: report.model_dump_json(by_alias=True, indent=1).encode(),
    ".md": markdown,
    ".docx": docx,
    ".pdf": pdf,
    ".dcm": structured,
}
