"""Instruction rows without a teacher model: definitions, relations and paths of the graph, worked calculations.

The same seed gives the same rows. Entities whose name falls into `HELD` by its hash are never asked about, so that what
was memorised and what generalises can be told apart.
"""

import hashlib
import itertools
import random
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from osler.adaptation.data.readers import Row
from osler.errors import InputError
from osler.knowledge.graph import Graph, load_graph
from osler.reasoning.calculators import calculate, calculators
from osler.reasoning.calculators.catalogue import Calculator, Input

_WORDS: dict[str, Any] = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))
HELD = 10  # percent of entities kept apart
LISTED = 6  # names in one answer
COMMON = 0.5  # share of patients from which a finding counts as typical
TRIES = 20


def held_out(name: str) -> bool:
    """Whether rows about an entity are left for evaluation."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:4], "big") % 100 < HELD


def made(what: str, seed: int, most: int) -> Iterator[Row]:
    """At most `most` rows of `definitions`, `relations`, `paths` or `calculators`. Raises InputError for others."""
    makers: dict[str, Callable[[random.Random], Iterator[Row]]] = {
        "definitions": _definitions, "relations": _relations, "paths": _paths, "calculators": _calculations,
    }  # fmt: skip
    if what not in makers:
        raise InputError(f"nothing is made of {what!r}", hint=f"Known: {', '.join(f'made:{one}' for one in makers)}.")
    return itertools.islice(makers[what](random.Random(seed)), most)


def _row(asked: str, answer: str, group: str, check: dict[str, Any] | None = None) -> Row:
    turns = [{"role": "user", "content": asked}, {"role": "assistant", "content": answer}]
    return Row("instruction", {"messages": turns, **({"check": check} if check else {})}, group, f"made of {group}")


def _diseases(graph: Graph, draw: random.Random) -> Iterator[str]:
    """Diseases and drugs by id, shuffled, without those that are held out."""
    ids = sorted({identifier for identifier, _, _ in graph.names(("disease", "drug"))})
    draw.shuffle(ids)
    yield from (one for one in ids if not held_out(one))


def _named(graph: Graph, identifier: str, language: str) -> str | None:
    """The label in a language; None where it has none."""
    node = graph.node(identifier)
    return node.label if language == "en" else node.label_zh


def _definitions(draw: random.Random) -> Iterator[Row]:
    graph = load_graph()
    kinds = ("disease", "phenotype", "drug")
    ids = sorted({identifier for identifier, _, _ in graph.names(kinds)})
    draw.shuffle(ids)
    for identifier in ids:
        node = graph.node(identifier)
        if node.definition and not held_out(identifier):
            asked = draw.choice(_WORDS["definition"]["en"]).format(a=node.label)
            yield _row(asked, node.definition, identifier, {"evidence": node.definition})


def _relations(draw: random.Random) -> Iterator[Row]:
    graph = load_graph()
    for identifier in _diseases(graph, draw):
        for relation, words in _WORDS["relation"].items():
            edges = graph.edges(identifier, relation)
            if relation == "has_phenotype":
                edges = [edge for edge in edges if (edge.frequency or 0) >= COMMON]
            for language in ("en", "zh"):
                name = _named(graph, identifier, language)
                others = list(dict.fromkeys(filter(None, (_named(graph, edge.object, language) for edge in edges))))
                if name and others:
                    asked, answer = words[language]
                    joined = ("、" if language == "zh" else ", ").join(others[:LISTED])
                    yield _row(asked.format(a=name), answer.format(b=_capital(joined)), identifier)


def _paths(draw: random.Random) -> Iterator[Row]:
    """Two diseases and a finding typical of both."""
    graph = load_graph()
    for identifier in _diseases(graph, draw):
        mine = [edge for edge in graph.edges(identifier, "has_phenotype") if (edge.frequency or 0) >= COMMON]
        for edge in mine[:2]:
            others = graph.edges(edge.object, "has_phenotype", "in")
            near = [one.subject for one in others if one.subject != identifier and (one.frequency or 0) >= COMMON]
            near = [one for one in near if not held_out(one)]
            if not near:
                continue
            other = draw.choice(near)
            for language in ("en", "zh"):
                names = [_named(graph, one, language) for one in (identifier, other, edge.object)]
                if all(names):
                    asked, answer = _WORDS["path"][language]
                    filled = dict(zip("abc", names, strict=True))
                    yield _row(asked.format(**filled), answer.format(**filled), f"{identifier} {other}")


def _calculations(draw: random.Random) -> Iterator[Row]:
    """Random values in their ranges, the result computed."""
    known = [one for one in calculators().values() if one.output == "number" and not held_out(one.id)]
    while known:
        one = draw.choice(known)
        found = next(filter(None, (_worked(one, draw) for _ in range(TRIES))), None)
        if found is None:
            known.remove(one)
        else:
            yield found


def _worked(one: Calculator, draw: random.Random) -> Row | None:
    values = {item.key: _value(item, draw) for item in one.inputs}
    if None in values.values():
        return None
    chinese = draw.random() < 0.5
    try:
        result = calculate(one.id, values, chinese)
    except InputError:
        return None
    language = "zh" if chinese else "en"
    given = ("，" if chinese else ", ").join(_given(item, values[item.key], chinese) for item in one.inputs)
    asked, answer = _WORDS["calculation"][language]
    unit = f" {result.unit}" if result.unit else ""
    said = answer.format(name=result.name, value=result.value, unit=unit, meaning=_capital(result.interpretation))
    check = {"number": float(result.value), "tolerance": 0.01}
    return _row(asked.format(name=result.name, given=given), said.strip(), f"{one.id} {values}", check)


def _value(item: Input, draw: random.Random) -> Any:
    if item.kind == "yes-no":
        return draw.choice([True, False])
    if item.kind == "choice":
        return draw.choice(item.options)[0]
    if item.kind != "number" or item.range is None:
        return None
    low, high = item.range
    middle = (low + high) / 2 if low > 0 else high / 2
    value = draw.triangular(low, high, min(middle, low * 4 if low > 0 else middle))
    return round(value) if item.whole or value >= 20 else round(value, 1)


def _given(item: Input, value: Any, chinese: bool) -> str:
    label = item.zh if chinese else item.en
    if isinstance(value, bool):
        return (
            f"{label}{'：' if chinese else ': '}{('是' if value else '否') if chinese else ('yes' if value else 'no')}"
        )
    if item.kind == "choice":
        row = next(row for row in item.options if row[0] == value)
        return f"{label}{'：' if chinese else ': '}{row[3] if chinese else row[2]}"
    return f"{label} {value}{f' {item.unit}' if item.unit else ''}"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
