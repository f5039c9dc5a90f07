"""What is known, in plain sentences, of the drugs that a text names: each interaction, and each drug or pair without
data. Severity, mechanism and management are the source's; it neither weighs them nor knows who takes the drugs.
"""

import itertools
import re

from osler.knowledge.drugs import tables
from osler.knowledge.drugs.interactions import SEVERITIES, Interaction, between, in_force, uncovered
from osler.knowledge.drugs.names import (
    Classes,
    Drug,
    classes_in,
    load_classes,
    load_names,
    mentions_and_classes,
    tokens,
)
from osler.nouns import Evidence, Source
from osler.settings import Settings
from osler.text import language_of

_WORDS = tables.toml(__package__, "sentences.toml")
_SPLIT, _NAME = (re.compile(_WORDS["list"][name], re.IGNORECASE) for name in ("split", "name"))


def interaction_sentences(text: str, settings: Settings) -> list[Evidence]:
    """One sentence for each interaction between drugs of the text in the starter set and the approved ones, the most
    severe first; then those that name what there is no data on. Raises InputError where a set can't be used."""
    language = language_of(text)
    words, chinese = _WORDS[language], load_names().chinese if language == "zh" else {}
    knowledge, classes = in_force(settings), load_classes()
    found_in = mentions_and_classes(text)
    named = [drug for one in found_in for drug in one.drugs or _classes(text[one.start : one.end], classes)]
    drugs = list(dict.fromkeys(named))
    label = {drug: chinese.get(drug.id, drug.label) for drug in drugs}
    bare = uncovered(drugs, knowledge, classes)
    known: list[tuple[Interaction, Drug, Drug]] = []
    silent = [label[drug] for drug in bare]
    for a, b in itertools.combinations(drugs, 2):
        if a.id in tokens(b.id, classes) or b.id in tokens(a.id, classes):
            continue  # a drug and the class it belongs to
        rows = between(a, b, knowledge, classes)
        known += [(row, a, b) for row in rows]
        if not rows and a not in bare and b not in bare:
            silent.append(words["pair"].format(a=label[a], b=label[b]))
    known.sort(key=lambda item: SEVERITIES.index(item[0].severity))
    found: list[Evidence] = []
    for row, a, b in known:
        values = row._asdict() | {"a": label[a], "b": label[b], "severity": words[row.severity]}
        said, source = words["interaction"].format_map(values), Source(title=row.source, year=row.year)
        found.append(Evidence(id=f"{row.id}:{a.id}:{b.id}", kind="edge", text=said, source=source))
    gaps = {"silent": silent, "unknown": _unknown(text), "alone": [] if drugs[1:] else list(label.values())}
    told = [words[gap].format(what=words["join"].join(names)) for gap, names in gaps.items() if names]
    source = Source(title=", ".join(knowledge.versions))
    for said in told if drugs else [*told, words["none"]]:
        found.append(Evidence(id=f"interactions:{said}", kind="edge", text=said, source=source))
    return found


def _classes(words: str, classes: Classes) -> list[Drug]:
    """The classes that words name, each standing for any of its drugs."""
    return [Drug(f"class:{name}", classes.labels[name]) for name in classes_in(words)]


def _unknown(text: str) -> list[str]:
    """The entries without a known drug of a text that is a list of names and nothing else, no question."""
    entries = [entry.strip(" \t.。") for entry in _SPLIT.split(text)]
    entries = [entry for entry in entries if entry]
    return [entry for entry in entries if not mentions_and_classes(entry)] if all(map(_NAME.fullmatch, entries)) else []
