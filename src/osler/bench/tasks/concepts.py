"""HPO terms in 228 abstracts: GSC+ (Lobo et al. 2017).

Mention: same span and same term; document: the set of terms of an abstract. Old identifiers are brought up to date.
"""

import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from osler.bench.pooled import pooled
from osler.bench.task import Bench, Figure, Method, Reply, Task, rows
from osler.bench.written import figure

Mention = tuple[int, int, str]
KINDS = ("mention", "document")


class Item(NamedTuple):
    """`gold`: (start, end, HPO id) in code points."""

    id: str
    group: str
    text: str
    gold: list[Mention]


class Concepts(Task):
    name = "concepts"
    about = "HPO terms in abstracts (GSC+): spans and terms, and terms by document"
    path = "concepts/gsc_plus.jsonl.gz"
    licence = "MIT; abstracts of PubMed"
    headline = "mention F1"

    def read(self, path: Path) -> Iterator[Item]:
        for row in rows(path):
            marked = [(one["start"], one["end"], one["hpo_id"]) for one in row["annotations"]]
            yield Item(row["id"], row["id"], row["text"], marked)

    def methods(self) -> dict[str, Method]:
        return {"osler": Method("osler", "the recogniser of `osler concepts`, HPO alone", model=False)}

    def versions(self, method: str, bench: Bench) -> dict[str, str]:
        return dict(bench.resources.graph.versions)

    def ask(self, items: Sequence[Item], method: str, bench: Bench) -> list[Reply]:
        from osler.knowledge.concepts.recogniser import load_recogniser

        recogniser, graph, replies = load_recogniser(("hpo",)), bench.resources.graph, []
        for item in items:
            began = time.perf_counter()
            mentions = recogniser.mentions(item.text)
            seconds = round(time.perf_counter() - began, 4)
            found = {(one.start, one.end, graph.canonical(one.code) or one.code) for one in mentions}
            gold = {(start, end, graph.canonical(code) or code) for start, end, code in item.gold}
            codes, wanted = ({code for *_, code in one} for one in (found, gold))
            scores = {
                **_scores("mention", len(found & gold), len(found), len(gold)),
                **_scores("document", len(codes & wanted), len(codes), len(wanted)),
            }
            replies.append(Reply(item.id, item.group, sorted(found), scores, seconds=seconds))
        return replies

    def figures(self, items: Sequence[Item], replies: Sequence[Reply]) -> list[Figure]:
        found = [figure(f"{kind} F1", replies, f"{kind} F1, mean of abstracts") for kind in KINDS]
        for kind in KINDS:
            right, said, expected = f"{kind}s right", f"{kind}s found", f"{kind}s expected"
            found += [
                pooled(f"{kind} precision, pooled", replies, right, said),
                pooled(f"{kind} recall, pooled", replies, right, expected),
                pooled(f"{kind} F1, pooled", replies, right, said, expected),
            ]
        return found


def _scores(kind: str, right: int, found: int, expected: int) -> dict[str, float]:
    """F1 (1 where nothing was there to find and nothing was found) and the counts it is made of."""
    f1 = 2 * right / (found + expected) if found + expected else 1.0
    counts = {f"{kind}s right": right, f"{kind}s found": found, f"{kind}s expected": expected}
    return {f"{kind} F1": f1, **{name: float(value) for name, value in counts.items()}}


TASK = Concepts()
