"""HPO terms in 228 abstracts: GSC+ (Lobo et al. 2017).

Mention: same span and same term; document: the set of terms of an abstract. Old identifiers are brought up to date.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from osler.bench.figures import Reply
from osler.bench.task import Bench, Task, rows
from osler.knowledge.concepts.recogniser import load_recogniser

Mention = tuple[int, int, str]


class Item(NamedTuple):
    """`gold`: (start, end, HPO id) in code points."""

    id: str
    group: str
    text: str
    gold: list[Mention]


class Kind(Task):
    def read(self, path: Path) -> Iterator[Item]:
        for row in rows(path):
            marked = [(one["start"], one["end"], one["hpo_id"]) for one in row["annotations"]]
            yield Item(row["id"], row["id"], row["text"], marked)

    def answer(self, item: Item, method: str, bench: Bench) -> Reply:
        mentions = load_recogniser(("hpo",)).mentions(item.text)
        return self.reply(item, sorted(_current(((one.start, one.end, one.code) for one in mentions), bench)))

    def score(self, said: list[Mention], item: Item, bench: Bench) -> dict[str, float]:
        """Of mentions and of documents F1 (1 where nothing was to find and none found) and the counts it is made of."""
        found, gold = set(said), _current(item.gold, bench)
        codes, wanted = ({code for *_, code in marked} for marked in (found, gold))
        scores: dict[str, float] = {}
        for kind, right, claimed, expected in (
            ("mention", len(found & gold), len(found), len(gold)),
            ("document", len(codes & wanted), len(codes), len(wanted)),
        ):
            f1 = 2 * right / (claimed + expected) if claimed + expected else 1.0
            scores |= {f"{kind} F1": f1, f"{kind}s right": float(right)}
            scores |= {f"{kind}s found": float(claimed), f"{kind}s expected": float(expected)}
        return scores


def _current(marked: Iterable[Mention], bench: Bench) -> set[Mention]:
    graph = bench.resources.graph
    return {(start, end, graph.canonical(code) or code) for start, end, code in marked}
