"""Cards from what Osler has checked: items, the supported statements of an answer, a document's key terms."""

import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from osler.education.cards.deck import CardDraft
from osler.education.quiz.topics import GLOSSARY
from osler.errors import InputError
from osler.ledger import Ledger
from osler.nouns import Answer, Evidence, QuizItem, Statement
from osler.text import language_of, shorten

LETTERS = "ABCDEFGH"
QUESTION, TOPIC = 400, 60  # characters of what was asked on a front, and as a topic
_TERM = re.compile(r"^([^\W\d][^:：\n]{1,60})[:：]\s*([^\n]{10,500})$", re.MULTILINE)


def from_item(item: QuizItem, evidence: Mapping[str, Evidence], trace: str | None = None) -> CardDraft:
    """The stem and its lettered options; on the back the key, why, and where it is written."""
    shown = [] if item.kind == "short-answer" else list(zip(LETTERS, item.options, strict=False))
    letter, key = next(pair for pair in shown or [("", item.options[0])] if pair[1].correct)
    back = [f"{letter}  {key.text}".strip(), key.why]
    if len(item.accepted) > 1:
        back.append("; ".join(item.accepted[1:]))
    source = {"item": item.id} | ({"trace": trace} if trace else {})
    return CardDraft(
        front="\n".join([item.stem, *(f"{letter}  {choice.text}" for letter, choice in shown)]),
        back="\n".join([*back, *_sources(key.evidence, evidence)]),
        kind="item", topic=item.topic, source=source, tags=[item.level, item.difficulty], language=item.language,
    )  # fmt: skip


def from_trace(id: str, ledger: Ledger) -> list[CardDraft]:
    """From a ledger entry: a card for each item of a quiz or exam, for each supported statement of an answer or
    consult. Raises InputError where it holds none."""
    payload = ledger.payload(id)
    output = payload.get("output")
    output = output if isinstance(output, dict) else {}
    evidence = {one["id"]: Evidence(**one) for one in output.get("evidence", ())}
    items = [*output.get("items", ()), *(one for part in output.get("sections", ()) for one in part.get("items", ()))]
    drafts = [from_item(QuizItem(**item), evidence, id) for item in items]
    if "answer" in output:
        answer = Answer(**output["answer"])
        drafts += _statements(answer.question, answer.statements, evidence, id)
    if "readability" in output:
        parts = [(part["title"], one) for part in output["sections"] for one in part["statements"]]
        said = [Statement(**{**one, "section": title}) for title, one in parts]
        drafts += _statements(output["topic"], said, evidence, id)
    if not drafts:
        raise InputError("no item and no supported statement to make a card of", where=f"ledger entry {id}")
    return drafts


def from_file(path: Path) -> list[CardDraft]:
    """From a quiz as `osler learn quiz --json` prints it, or a list of items. Raises InputError for anything else."""
    try:
        given = json.loads(path.read_bytes())
        given = {"items": given} if isinstance(given, list) else given
        evidence = {one["id"]: Evidence(**one) for one in given.get("evidence", ())}
        return [from_item(QuizItem(**item), evidence, given.get("trace_id")) for item in given["items"]]
    except OSError as error:
        raise InputError(f"the file can't be read: {error.strerror}", where=str(path)) from None
    except (ValueError, TypeError, KeyError, AttributeError, StopIteration, IndexError, RecursionError):
        hint = "Give what `osler learn quiz --json` prints."
        raise InputError("it holds no quiz", where=str(path), hint=hint) from None


def _statements(
    asked: str, statements: Iterable[Statement], evidence: Mapping[str, Evidence], trace: str
) -> Iterable[CardDraft]:
    question = shorten(asked, QUESTION)
    for statement in statements:
        if statement.verdict == "supported":
            front = f"{question}\n{statement.section}" if statement.section else question
            cited = _sources(statement.evidence, evidence)
            yield CardDraft(
                front=front, back="\n".join([statement.text, *statement.cautions, *cited]), kind="statement",
                topic=question[:TOPIC], source={"trace": trace}, language=language_of(statement.text),
            )  # fmt: skip


def from_passages(document: str, passages: Iterable[Evidence]) -> list[CardDraft]:
    """The terms that a document's "Key terms" or glossary define, a line each. Raises InputError if it has none."""
    drafts = []
    for passage in passages:
        if (passage.source.section or "").casefold() in (
            GLOSSARY.casefold(),
            "glossary",
            "definitions",
            "术语",
            "名词解释",
        ):
            for term, definition in _TERM.findall(passage.text):
                back = "\n".join([definition.strip(), *_sources([passage.id], {passage.id: passage})])
                drafts.append(CardDraft(
                    front=term.strip(), back=back, kind="term", topic=passage.source.title or document,
                    source={"document": document, "passage": passage.id}, language=language_of(definition),
                ))  # fmt: skip
    if not drafts:
        raise InputError(f"no {GLOSSARY.lower()} are defined in it", where=document)
    return drafts


def _sources(cited: Iterable[str], evidence: Mapping[str, Evidence]) -> list[str]:
    """A line for each source that is cited."""
    lines = []
    for one in filter(None, map(evidence.get, cited)):
        source = one.source
        parts = [source.title, source.section, str(source.year or ""), source.licence, source.url]
        lines.append("[" + (", ".join(part for part in parts if part) or one.kind) + "]")
    return list(dict.fromkeys(lines))
