"""Changes of a question that an audit sets beside it, and what must become of the answer: stay, turn, or be withheld.

A change is one file of `changes/` and one decorator. It knows no model and scores nothing.
"""

import functools
import importlib
import pkgutil
from collections.abc import Callable, Mapping
from random import Random
from typing import Literal, NamedTuple

from osler.bench.choice import Item

Expects = Literal["same", "changed", "refusal"]
ONE = ""  # the label of the only variant that a change makes
Made = Item | Mapping[str, Item] | None
TextChange = Callable[[str, Random], str]


class Change(NamedTuple):
    """`of(item, luck)`: the changed item, several by label (a swap's groups), or None where it does not apply. A
    changed item keeps id and group; `answer` is what is right after the change. `text`: of changes that only rewrite
    text."""

    name: str
    about: str
    expects: Expects
    family: str
    of: Callable[[Item, Random], Made]
    text: TextChange | None = None

    def variants(self, item: Item, seed: int = 0) -> dict[str, Item]:
        """The changed items by label, the same for the same seed; none that equals the item itself."""
        made = self.of(item, self.luck(item.id, seed))
        several = {ONE: made} if isinstance(made, Item) else dict(made or {})
        return {label: one for label, one in several.items() if one != item}

    def luck(self, identifier: str, seed: int) -> Random:
        return Random(f"{self.name}/{identifier}/{seed}")


_KNOWN: dict[str, Change] = {}


def change(
    name: str, about: str, expects: Expects = "same", family: str = "robustness"
) -> Callable[[Callable[[Item, Random], Made]], Callable[[Item, Random], Made]]:
    """Register `of(item, luck)` as a change. `family`: the audit that it belongs to."""

    def register(of: Callable[[Item, Random], Made]) -> Callable[[Item, Random], Made]:
        _KNOWN[name] = Change(name, about, expects, family, of)
        return of

    return register


def text_change(name: str, about: str, family: str = "robustness") -> Callable[[TextChange], TextChange]:
    """Register a function from text to text, which gives back the text itself where it finds nothing to change. It
    rewrites question and context; options stay as they are, and so must the answer."""

    def register(rewrite: TextChange) -> TextChange:
        def of(item: Item, luck: Random) -> Item:
            context = rewrite(item.context, luck) if item.context else item.context
            return item._replace(question=rewrite(item.question, luck), context=context)

        _KNOWN[name] = Change(name, about, "same", family, of, rewrite)
        return rewrite

    return register


def changes(family: str = "robustness") -> dict[str, Change]:
    """The changes of a family by name. Those outside `changes/` are known once their module was imported."""
    _load()
    return {name: one for name, one in sorted(_KNOWN.items()) if one.family == family}


@functools.cache
def _load() -> None:
    from osler.trust import changes as folder

    for module in pkgutil.iter_modules(folder.__path__):
        importlib.import_module(f"{folder.__name__}.{module.name}")
