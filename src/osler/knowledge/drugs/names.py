"""From a medication as written to drugs of the graph: brand to generic, strength, form and salt taken away.

"Acetaminophen 325 MG / HYDROcodone Bitartrate 7.5 MG Oral Tablet" is two drugs. It guesses no spelling: a name that
isn't known stays unknown and is reported.
"""

import functools
import re
from typing import NamedTuple

from osler.errors import IntegrityError
from osler.knowledge.concepts.recogniser import load_recogniser
from osler.knowledge.drugs import tables
from osler.knowledge.graph import Graph, load_graph
from osler.text import has_chinese

_SAYS = tables.patterns(__package__, "drug_words.toml")
_CLASSES = tables.patterns(__package__, "class_words.toml", "classes")
_FORMS, _SALTS = (frozenset(words.split()) for words in tables.toml(__package__, "drug_words.toml")["words"].values())


def _folded(name: str) -> str:
    """Words in lower case and one spelling. Plainer than the graph's own folding, which takes seconds for all names."""
    words = re.findall(r"\w+", name.casefold())
    return " ".join(words).replace("sulph", "sulf").replace("ae", "e").replace("oe", "e")


class Drug(NamedTuple):
    id: str
    label: str


class Mention(NamedTuple):
    """Drugs named at a place of a text (code points); none where a whole class is named."""

    start: int
    end: int
    drugs: tuple[Drug, ...]


class Names:
    """All drug names of the graph and the room's aliases, by their folded form."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._ids: dict[str, tuple[str, ...]] = {}
        self._bases: dict[str, tuple[Drug, ...]] = {}
        self.chinese: dict[str, str] = {}
        for identifier, name, _ in graph.names(("drug",), "en"):
            if "/" not in name and " and " not in name:
                self._ids.setdefault(_folded(name), (identifier,))
        rows = tables.shipped(__package__, "drug_aliases.csv")
        for row in rows:
            parts = tuple(self.one(name, row.where).id for name in row.values["drugs"].split("|"))
            self._ids[_folded(row.values["name"])] = parts
            if has_chinese(row.values["name"]) and len(parts) == 1:
                self.chinese.setdefault(parts[0], row.values["name"])
        aliases = sorted(
            (row.values["name"] for row in tables.shipped(__package__, "drug_aliases.csv")), key=len, reverse=True
        )
        self._aliases = re.compile(rf"(?<![A-Za-z])(?:{'|'.join(map(re.escape, aliases))})(?![A-Za-z])", re.IGNORECASE)
        self._longest = max(len(name.split()) for name in self._ids)

    def one(self, name: str, where: str) -> Drug:
        """The one drug of a name of the room's own tables. Raises IntegrityError naming `where`."""
        found = self.exact(name)
        if len(found) != 1:
            raise IntegrityError(f"{name!r} is not one drug of the graph.", where=where)
        return found[0]

    def exact(self, name: str) -> list[Drug]:
        """The drugs that bear this very name; a salt is given as its base, a fixed combination as its parts."""
        return [drug for identifier in self._ids.get(_folded(name), ()) for drug in self._base(identifier)]

    def _base(self, identifier: str) -> tuple[Drug, ...]:
        if identifier not in self._bases:
            label = self._graph.label(identifier)
            plain = [self._ids.get(_folded(_bare(part, salts=False)), (None,)) for part in label.split("/")]
            ids = [one for found in plain for one in found if one]
            whole = len(ids) == len(plain)
            self._bases[identifier] = tuple(
                Drug(one, self._graph.label(one)) for one in (ids if whole else [identifier])
            )
        return self._bases[identifier]

    def of(self, label: str) -> list[Drug]:
        """The drugs of a medication as written, in order, each once; empty if none is known."""
        whole = self.exact(label) or self.exact(_bare(label, salts=True))
        if whole:
            return whole
        inner = [group for match in _SAYS["brackets"].finditer(label) for group in match.groups() if group]
        outer = _SAYS["brackets"].sub(" ", label)
        found = self._parts(outer)
        for text in inner if not found else ():
            found += self._parts(text)
        return list(dict.fromkeys(found))

    def aliases_in(self, text: str) -> list[Mention]:
        """Where a text has a name of the room's own list."""
        return [Mention(*m.span(), tuple(self.exact(m.group()))) for m in self._aliases.finditer(text)]

    def _parts(self, text: str) -> list[Drug]:
        alias = self.exact(_bare(text, salts=True))
        if alias:
            return alias
        found: list[Drug] = []
        for part in _SAYS["joins"].split(text):
            found += self.exact(_bare(part, salts=True)) or self.exact(_bare(part, salts=False)) or self._inside(part)
        return found

    def _inside(self, part: str) -> list[Drug]:
        """The longest run of words that is a drug's name."""
        words = _bare(part, salts=True).split()
        for length in range(min(len(words), self._longest), 0, -1):
            for start in range(len(words) - length + 1):
                run = " ".join(words[start : start + length])
                if len(run) > 3 and (found := self.exact(run)):
                    return found
        return []


def _bare(text: str, salts: bool) -> str:
    """Without strength and form; `salts`: the salt stays."""
    text = _SAYS["strength"].sub(" ", text)
    words = [word for word in re.split(r"[\s,]+", text) if word and word.lower().strip(".:") not in _FORMS]
    if not salts:
        words = [word for word in words if word.lower() not in _SALTS] or words
        text = " ".join(words)
        return _SAYS["chinese_form"].sub("", _SAYS["chinese_form"].sub("", text)).strip()
    return " ".join(words).strip(" -")


def mentions(text: str) -> list[Mention]:
    """Every drug that a text names, by the concept index and this room's aliases, in order, the longest at a place."""
    names, graph = load_names(), load_graph()
    found = names.aliases_in(text)
    for one in load_recogniser(("drug",)).mentions(text):
        drugs = tuple(names.of(one.text)) or (Drug(one.code, graph.label(one.code)),)
        found.append(Mention(one.start, one.end, drugs))
    return _longest(found)


def mentions_and_classes(text: str) -> list[Mention]:
    """The same with the classes that the text names."""
    named = [Mention(*match.span(), ()) for words in _CLASSES.values() for match in words.finditer(text)]
    return _longest([*mentions(text), *named])


def classes_in(name: str) -> tuple[str, ...]:
    """The drug classes that words name."""
    return tuple(kind for kind, words in _CLASSES.items() if words.search(name))


def _longest(found: list[Mention]) -> list[Mention]:
    kept: list[Mention] = []
    for one in sorted(found, key=lambda one: (one.start - one.end, not one.drugs, one.start)):
        if not any(one.start < other.end and other.start < one.end for other in kept):
            kept.append(one)
    return sorted(kept)


class Classes(NamedTuple):
    """Drug classes: `of` maps a drug's id to its classes, `labels` and `duplicate` are by class."""

    members: dict[str, frozenset[str]]
    of: dict[str, tuple[str, ...]]
    labels: dict[str, str]
    duplicate: frozenset[str]


@functools.cache
def load_names() -> Names:
    return Names(load_graph())


@functools.cache
def load_classes() -> Classes:
    """The shipped classes. Raises IntegrityError for a member that the graph doesn't know."""
    names = load_names()
    members: dict[str, frozenset[str]] = {}
    labels: dict[str, str] = {}
    duplicate: set[str] = set()
    of: dict[str, tuple[str, ...]] = {}
    for row in tables.shipped(__package__, "drug_classes.csv"):
        name = row.values["class"]
        ids = frozenset(names.one(drug, row.where).id for drug in row.values["drugs"].split("|"))
        members[name], labels[name] = ids, row.values["label"]
        if row.values["duplicate"] == "yes":
            duplicate.add(name)
        for identifier in ids:
            of[identifier] = (*of.get(identifier, ()), name)
    return Classes(members, of, labels, frozenset(duplicate))


def tokens(drug: str, classes: Classes) -> set[str]:
    """What a table row may call this drug: its id and `class:` with each of its classes."""
    return {drug, *(f"class:{name}" for name in classes.of.get(drug, ()))}
