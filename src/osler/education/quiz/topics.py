"""What a topic is about: diseases of the graph, and terms that a glossary of the library defines.

A topic that neither the graph nor the library knows is refused; nothing is made up for it.
"""

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from osler.education.quiz.material import CURATED, Material, profiles
from osler.errors import InputError
from osler.knowledge.diagnosis.index import room_words
from osler.knowledge.graph.nouns import HIERARCHY, Node
from osler.nouns import Evidence
from osler.text import has_chinese, words

MOST = 120  # diseases of a topic
BELOW = 600  # narrower terms looked at
HITS = 30
TOLD = 5  # curated findings from which on a disease without a profile can be asked of
FEW = 8  # diseases up to which those that the library's titles and the finding itself bring are added
SHOWN = 0.3  # share of patients with a finding for a disease to belong to the topic of the finding
GLOSSARY, CHAPTERS = "Key terms", 5
_TERM = re.compile(r"^([A-Za-z][^:\n]{1,60}): ([^\n]{20,220})$", re.MULTILINE)


class Term(NamedTuple):
    name: str
    definition: str
    passage: Evidence


class Topic(NamedTuple):
    """`rings`: diseases of the topic itself, then those that show it or that titles about it name, each the commoner
    first; `classes`: of drugs; `terms`: what glossaries define in chapters about it."""

    text: str
    rings: list[list[str]]
    classes: list[str]
    terms: list[Term]


def find_topic(text: str, material: Material) -> Topic:
    """What a topic (a disease, finding, drug, class, field; English or Chinese) is about.

    Raises InputError where neither the graph nor the library knows it.
    """
    if not words(text):
        raise InputError("the topic is empty")
    graph, run = material.graph, material.run
    nodes = focus(text, material)
    narrower = _below([node.id for node in nodes], material)
    narrower += _treated(narrower, material)
    hits = run.search(text, HITS)
    english = " ".join(node.label for node in nodes) if has_chinese(text) else text
    about = [hit for hit in hits if mentions(english, f"{hit.source.title} {hit.text}")]
    if not nodes and not about:
        raise InputError(f"neither the graph nor the library knows {text!r}", hint="Name a disease, finding or drug.")
    rings = [_asked_of(narrower, material)]
    if len(rings[0]) < FEW:
        near = [hit.source.title or "" for hit in about if not nodes or mentions(english, hit.source.title or "")]
        titles = [item.code for title in near for item in run.resources.recogniser.find(title)]
        wider = [*_showing(narrower, material), *filter(None, map(graph.canonical, titles))]
        rings.append([disease for disease in _asked_of(wider, material) if disease not in rings[0]])
    return Topic(text, [ring[:MOST] for ring in rings], _classes(narrower, material), _terms(english, about, material))


def focus(text: str, material: Material) -> list[Node]:
    """Nodes called so, and those that the topic names among other words; for a finding the disease of its name too."""
    graph = material.graph
    found = graph.called(text) or [node for node in [graph.find(text)] if node is not None]
    named = (graph.find(item.code) for item in material.run.resources.recogniser.find(text) if item.status != "absent")
    found += [node for node in named if node is not None]
    for node in list(found):
        twins = [e.subject for e in graph.edges(node.id, "same_label", "in")]
        found += [graph.node(twin) for twin in [*twins, *(e.object for e in graph.edges(node.id, "same_label"))]]
    return list({node.id: node for node in found}.values())


def _below(identifiers: Iterable[str], material: Material) -> list[str]:
    """These terms and all narrower ones, level by level."""
    seen = list(dict.fromkeys(identifiers))
    known, at = set(seen), 0
    while at < len(seen) and len(seen) < BELOW:
        below = [edge.subject for edge in material.graph.edges(seen[at], HIERARCHY, "in")]
        seen += [node for node in dict.fromkeys(below) if node not in known]
        known.update(below)
        at += 1
    return seen


def _asked_of(identifiers: Iterable[str], material: Material) -> list[str]:
    """Diseases among these that items can be asked of, the commoner first."""
    steps, common, graph = room_words()["steps"], profiles(), material.graph
    found = [
        identifier
        for identifier in dict.fromkeys(identifiers)
        if graph.node(identifier).kind == "disease"
        and material.named(identifier)
        and (identifier in common or _told(identifier, material))
    ]
    return sorted(found, key=lambda one: -steps[common[one].frequency] if one in common else 0)


def _classes(identifiers: Sequence[str], material: Material) -> list[str]:
    """Drug classes among these, and those of the drugs if there are few."""
    graph = material.graph
    drugs = [one for one in identifiers if graph.node(one).kind == "drug"]
    found = [one for one in identifiers if graph.edges(one, "member_of_class", "in")]
    if len(drugs) <= FEW:
        found += [edge.object for drug in drugs for edge in graph.edges(drug, "member_of_class")]
    return [one for one in dict.fromkeys(found) if material.named(one)]


def _told(identifier: str, material: Material) -> bool:
    edges = material.graph.edges(identifier, "has_phenotype")
    return sum(edge.source in CURATED and (edge.frequency or 0) >= SHOWN for edge in edges) >= TOLD


def _showing(identifiers: Iterable[str], material: Material) -> list[str]:
    """Common diseases that often show one of these findings, as their profiles say."""
    codes = [code for code in identifiers if code.startswith("HP:")]
    edges = [edge for code in codes for edge in material.graph.edges(code, "has_phenotype", "in")]
    return [edge.subject for edge in edges if edge.source == CURATED[0] and (edge.frequency or 0) >= SHOWN]


def _treated(identifiers: Iterable[str], material: Material) -> list[str]:
    """What a drug, or the few drugs of a class, are for."""
    drugs = [one for one in identifiers if material.graph.node(one).kind == "drug"]
    few = drugs if len(drugs) <= FEW else []
    return [edge.object for drug in few for edge in material.graph.edges(drug, "treats")]


def mentions(topic: str, text: str) -> bool:
    """Whether a text has all content words of a topic."""
    said = {word.rstrip("s") for word in words(text)}
    asked = {word.rstrip("s") for word in words(topic) if len(word) > 2}
    return bool(asked) and asked <= said


def _terms(topic: str, about: Iterable[Evidence], material: Material) -> list[Term]:
    """What glossaries define in chapters about the topic, then in those that speak of it; English only, as the shipped
    glossaries are."""
    if material.language == "zh" or not topic:
        return []
    passages = material.run.search(f"{topic} {GLOSSARY}", HITS)
    asked = set(words(topic))
    passages = [one for one in passages if asked & set(words(f"{one.source.title} {one.text}"))]
    chapters = list(dict.fromkeys(hit.source.document_id or "" for hit in about))[:CHAPTERS]
    passages += [one for chapter in chapters for one in material.run.resources.library.document(chapter)]
    found: dict[str, Term] = {}
    for passage in passages:
        for match in _TERM.finditer(passage.text) if passage.source.section == GLOSSARY else ():
            name = match[1].strip()
            found.setdefault(name.lower(), Term(name, match[2].strip().rstrip("."), passage))
    return list(found.values())
