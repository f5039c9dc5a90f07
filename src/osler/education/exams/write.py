"""An exam or a quiz as a file: paper and key (DOCX), table (CSV), Anki package, JSON. It changes no item."""

import csv
import io
from collections.abc import Callable, Sequence
from typing import Any

import orjson

from osler.education.cards.anki import write_apkg
from osler.education.cards.making import from_item
from osler.education.exams.exam import Exam
from osler.errors import InputError
from osler.nouns import QuizItem, dump
from osler.settings import Settings

LETTERS = "ABCDEFGH"
SAYS = {
    "en": {"name": "Name", "date": "Date", "key": "Key and explanations", "sources": "Sources", "also": "Also right",
           "notice": "For professional review. Written from the sources at the end; each key was checked by rules.",
           "entry": "Ledger entry", "answer": "Answer"},
    "zh": {"name": "姓名", "date": "日期", "key": "答案与解析", "sources": "出处", "also": "同样正确",
           "notice": "供专业人员审核。题目依据文末出处编写，答案经规则核对。", "entry": "账本条目", "answer": "答"},
}  # fmt: skip
COLUMNS = (
    "number",
    "id",
    "topic",
    "kind",
    "level",
    "difficulty",
    "stem",
    *LETTERS[:5],
    "key",
    "accepted",
    "why",
    "evidence",
)


def docx(exam: Exam) -> bytes:
    """The paper, then on a new page key, explanations and sources."""
    from docx import Document

    says, numbers = _says(exam), {item.id: n for n, item in enumerate(exam.evidence, start=1)}
    made = Document()
    made.core_properties.title, made.core_properties.author = exam.title, "Osler"
    made.add_heading(exam.title, 0)
    made.add_paragraph(f"{says['name']}: {'_' * 30}    {says['date']}: {'_' * 14}")
    for number, item in enumerate(exam.items, start=1):
        stem = made.add_paragraph(f"{number}. {item.stem}")
        stem.paragraph_format.keep_with_next = True
        for letter, text in _shown(item):
            line = made.add_paragraph(f"{letter}  {text}")
            line.paragraph_format.left_indent, line.paragraph_format.space_after = 360000, 0
        if item.kind == "short-answer":
            made.add_paragraph(f"{says['answer']}: {'_' * 50}")
    made.add_heading(says["key"], 1).paragraph_format.page_break_before = True
    made.add_paragraph(says["notice"]).runs[0].italic = True
    for number, item in enumerate(exam.items, start=1):
        line = made.add_paragraph()
        line.add_run(f"{number}. {_key(item)}").bold = True
        if len(item.accepted) > 1:
            line.add_run(f" ({says['also']}: {'; '.join(item.accepted[1:])})")
        for letter, choice in zip(LETTERS, item.options, strict=False):
            if item.kind == "true-false" and not choice.correct:
                continue
            mark = letter if item.kind not in ("true-false", "short-answer") else "✓"
            why = made.add_paragraph(f"{mark}  {choice.why}", style="List Bullet")
            why.add_run("".join(f" [{numbers[one]}]" for one in choice.evidence)).font.superscript = True
    made.add_heading(says["sources"], 1)
    for one in exam.evidence:
        source = one.source
        said = one.text if one.kind == "edge" else ""
        parts = [
            said,
            source.title,
            source.section,
            str(source.year or ""),
            source.licence,
            source.url or source.document_id,
        ]
        made.add_paragraph(f"[{numbers[one.id]}] {', '.join(part for part in parts if part)}")
    made.add_paragraph(f"{says['entry']}: {exam.trace_id}")
    target = io.BytesIO()
    made.save(target)
    return target.getvalue()


def table(exam: Exam) -> bytes:
    """One row an item, UTF-8 with a mark for spreadsheets; a cell that a spreadsheet would compute is quoted."""
    target = io.StringIO()
    writer = csv.DictWriter(target, COLUMNS)
    writer.writeheader()
    for number, item in enumerate(exam.items, start=1):
        row: dict[str, Any] = {
            "number": number, "id": item.id, "topic": item.topic, "kind": item.kind, "level": item.level,
            "difficulty": item.difficulty, "stem": item.stem, **dict(_shown(item)), "key": _key(item),
            "accepted": "; ".join(item.accepted), "why": " | ".join(choice.why for choice in item.options),
            "evidence": "; ".join(item.evidence),
        }  # fmt: skip
        writer.writerow({name: _inert(value) for name, value in row.items()})
    return target.getvalue().encode("utf-8-sig")


def json(exam: Exam) -> bytes:
    return orjson.dumps(dump(exam), option=orjson.OPT_INDENT_2)


def _shown(item: QuizItem) -> Sequence[tuple[str, str]]:
    if item.kind == "short-answer":
        return ()
    return [(letter, choice.text) for letter, choice in zip(LETTERS, item.options, strict=False)]


def _key(item: QuizItem) -> str:
    place, choice = next((n, choice) for n, choice in enumerate(item.options) if choice.correct)
    return choice.text if item.kind in ("short-answer", "true-false") else f"{LETTERS[place]}  {choice.text}"


def _inert(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t")) else value


def _says(exam: Exam) -> dict[str, str]:
    return SAYS["zh" if all(item.language == "zh" for item in exam.items) else "en"]


def write(exam: Exam, ending: str, settings: Settings) -> bytes:
    """The file of an exam. Raises InputError for an ending that no format has."""
    if ending == ".apkg":
        evidence = {one.id: one for one in exam.evidence}
        return write_apkg([from_item(item, evidence, exam.trace_id) for item in exam.items], exam.title, settings)
    if ending not in WRITERS:
        raise InputError(f"no format {ending!r}", hint=f"Known: {', '.join(ENDINGS)}.")
    return WRITERS[ending](exam)


WRITERS: dict[str, Callable[[Exam], bytes]] = {".docx": docx, ".csv": table, ".json": json}
ENDINGS = (*WRITERS, ".apkg")
