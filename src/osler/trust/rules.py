"""Audits of Osler's own rules, which ask no model: what they found in a text, do they find it after a change?

An item's question is the text, its options are what must be found there (or `NOTHING`), its context the evidence of a
statement, its subject the words of one finding.
"""

import re
import time
from collections.abc import Callable, Collection, Sequence
from typing import Any

from osler import __version__
from osler.bench.choice import Item, QuestionSet
from osler.bench.figures import Reply
from osler.bench.runner import RunCard, data_hash
from osler.bench.task import Bench
from osler.bench.tasks import find_task
from osler.knowledge.concepts.recogniser import load_recogniser
from osler.ledger.chain import now
from osler.trust.audit import Audited, Pair, audited
from osler.trust.variants import Change, changes

Found = Callable[[Item], Collection[str]]
NOTHING = "nothing"
VERB = re.compile(r"\b(is|are|was|were|has|have|had|can|will|does|did|should|may)\b(?! not)")
DENIED = {"en": "no evidence of {}", "zh": "无{}"}


def text(identifier: str, group: str, words: str, expected: Collection[str], language: str = "en") -> Item:
    """A text and what must be found in it."""
    options = {chr(ord("A") + place): what for place, what in enumerate(sorted(expected) or [NOTHING])}
    return Item(identifier, group, words, options, "".join(options), language)


def rules(name: str, items: Sequence[Item], found: Found, asked: Sequence[Change], part: str) -> Audited:
    """The audit of a room's function from item to what it finds."""
    none: dict[str, Any] = dict.fromkeys(("source", "limit", "model", "judge"))
    about: dict[str, Any] = {"id": f"rules:{name}", "task": name, "method": "rules", "split": part, "seed": 0}
    what: dict[str, Any] = {"data_hash": data_hash(items), "n": len(items), "started": now(), "answers": ""}
    card = RunCard(**none, **about, **what, prompt_hash="", versions={"osler": __version__})
    pairs, unfit = [], dict.fromkeys((change.name for change in asked), 0)
    replies = [_reply(item, found) for item in items]
    for item, was in zip(items, replies, strict=True):
        for change in asked:
            made = change.variants(item)
            unfit[change.name] += not made
            pairs += [Pair(change, label, item, one, was, _reply(one, found)) for label, one in made.items()]
    return Audited(card, QuestionSet({"name": name}), list(items), replies, pairs, unfit)


def _reply(item: Item, found: Found) -> Reply:
    began = time.perf_counter()
    got = set(found(item)) or {NOTHING}
    said = "".join(key for key, what in item.options.items() if what in got)
    right = {"right": len(said) / len(item.options)}
    return Reply(item.id, item.group, said, right, seconds=time.perf_counter() - began)


def _denied(item: Item, luck: object) -> Item | None:
    if not item.subject or item.subject not in item.question:
        return None
    return item._replace(question=item.question.replace(item.subject, DENIED[item.language].format(item.subject), 1))


def _opposite(item: Item, luck: object) -> Item | None:
    if item.options != {"A": "supported"} or not VERB.search(item.question):
        return None
    return item._replace(question=VERB.sub(r"\1 not", item.question, count=1))


DENIAL = Change("finding denied", "no evidence of before a finding", "changed", "rules", _denied)
OPPOSITE = Change("statement negated", "not behind the first verb of what is supported", "changed", "rules", _opposite)


def rewrites() -> list[Change]:
    """The changes that only rewrite text."""
    return [change for change in changes().values() if change.text]


def of_bench(bench: Bench, limit: int | None) -> list[Audited]:
    """The rules that public data of the bench can audit: the concept recogniser's recall in abstracts, and the
    verifier's verdicts on notes."""
    graph, task = bench.resources.graph, find_task("concepts")
    abstracts = [
        text(item.id, item.group, item.text, {graph.canonical(code) or code for *_, code in item.gold})
        for item in task.items(bench.data, "report")[:limit]
    ]

    def named(item: Item) -> set[str]:
        return {mention.code for mention in load_recogniser(("hpo",)).mentions(item.question)}

    recogniser = rules("concepts", abstracts, named, rewrites(), "report")
    return [recogniser, audited("inference", rewrites(), bench, "verifier", limit=limit)]
