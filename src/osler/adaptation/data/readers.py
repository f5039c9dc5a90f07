"""Training files of the usual shapes, told apart by their keys, as rows of one kind each. It judges no row.

Instruction rows are chats (`messages`), preference rows `prompt`, `chosen` and `rejected`, plain rows `text`. A `check`
of a row (`rewards.py`) goes with it.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple

from osler.bench.task import lines_of, rows
from osler.errors import InputError

Kind = Literal["instruction", "preference", "plain"]
_ROLES = {"human": "user", "gpt": "assistant", "user": "user", "assistant": "assistant", "system": "system"}


class Row(NamedTuple):
    """`group`: what must not be divided between training and validation; `where`: file and line."""

    kind: Kind
    value: dict[str, Any]
    group: str
    where: str

    @property
    def text(self) -> str:
        """All of it, for whatever looks at texts."""
        said = [self.value[key] for key in ("prompt", "chosen", "rejected", "text") if key in self.value]
        said += [turn["content"] for turn in self.value.get("messages", [])]
        return "\n".join(one if isinstance(one, str) else json.dumps(one, ensure_ascii=False) for one in said)

    @property
    def question(self) -> str:
        """What is asked, without the answer; of a plain text all."""
        turns = self.value.get("messages")
        if turns:
            return "\n".join(turn["content"] for turn in turns if turn["role"] == "user")
        return str(self.value.get("prompt") or self.value.get("text"))


class Bad(NamedTuple):
    """A row that can't be used."""

    why: str
    where: str


def read(path: Path) -> Iterator[Row | Bad]:
    """The rows of a JSON Lines or JSON file, or the paragraphs of a text. Raises InputError for a file that can't be
    read."""
    if path.name.removesuffix(".gz").endswith((".txt", ".md")):
        yield from _paragraphs(path)
        return
    for number, value in enumerate(_objects(path), start=1):
        where = f"{path.name}, line {number}"
        try:
            made = _row(value, where)
        except (KeyError, TypeError, ValueError, IndexError, AttributeError):
            made = None
        yield made or Bad("no known shape of training data", where)


def _objects(path: Path) -> Iterator[dict[str, Any]]:
    if path.suffix != ".json":
        yield from rows(path)
        return
    try:
        found = json.loads("".join(lines_of(path)))
    except ValueError as error:
        raise InputError(f"not valid JSON: {error}", where=str(path)) from None
    yield from found if isinstance(found, list) else [found]


def _paragraphs(path: Path) -> Iterator[Row]:
    held = list[str]()
    for number, line in enumerate([*lines_of(path), ""], start=1):
        if line.strip():
            held.append(line.strip())
        elif held:
            yield Row("plain", {"text": " ".join(held)}, path.name, f"{path.name}, line {number - len(held)}")
            held = []


def _row(value: Mapping[str, Any], where: str) -> Row | None:
    group = str(value.get("group") or value.get("document_id") or value.get("id") or value.get("trace") or where)
    more = {key: value[key] for key in ("check", "provenance") if key in value}

    def chat(turns: list[tuple[str, str]]) -> Row | None:
        made = [{"role": _ROLES[role], "content": content.strip()} for role, content in turns if content.strip()]
        whole = len(made) > 1 and made[-1]["role"] == "assistant"
        return Row("instruction", {"messages": made, **more}, group, where) if whole else None

    if "chosen" in value and "rejected" in value:
        kept = {key: value[key] for key in ("prompt", "chosen", "rejected")}
        usable = all(kept.values()) and kept["chosen"] != kept["rejected"]
        return Row("preference", {**kept, **more}, group, where) if usable else None
    if "messages" in value:
        return chat([(turn["role"], turn["content"]) for turn in value["messages"]])
    if "conversations" in value:
        return chat([(turn["from"], turn["value"]) for turn in value["conversations"]])
    if "instruction" in value:
        asked = "\n\n".join(part for part in (value["instruction"], value.get("input")) if part)
        return chat([("user", asked), ("assistant", value["output"])])
    if "question" in value:
        return chat([("user", value["question"]), ("assistant", value.get("answer") or value["response"])])
    if "text" in value:
        text = str(value["text"]).strip()
        return Row("plain", {"text": text, **more}, group, where) if text else None
    return None
