"""Sentences put beside a question that must not move its answer: a file of words each (`*.toml`).

`where`: before the question (in the context, if there is one) or after it. {letter} and {wrong}: a wrong option.
"""

import tomllib
from importlib.resources import files
from random import Random
from typing import Any

from osler.bench.choice import Item
from osler.trust.variants import change


def _register(words: dict[str, Any]) -> None:
    @change(words["name"], words["about"])
    def added(item: Item, luck: Random) -> Item:
        letter = luck.choice([key for key in item.options if key not in item.answer] or list(item.options))
        said = luck.choice(words[item.language]).format(letter=letter, wrong=item.options[letter])
        if words["where"] == "after":
            return item._replace(question=f"{item.question}\n{said}")
        if item.context:
            return item._replace(context=f"{item.context}\n{said}")
        return item._replace(question=f"{said}\n{item.question}")


for _file in sorted(files("osler.trust.changes").iterdir(), key=lambda file: file.name):
    if _file.name.endswith(".toml"):
        _register(tomllib.loads(_file.read_text(encoding="utf-8")))
