"""Most of the question cut off: there is nothing left to answer it from."""

from random import Random

from osler.bench.choice import Item
from osler.trust.variants import change

KEPT, LEAST = 0.3, 40  # share of the question; code points that it must have


@change("truncated", "the last seven tenths of the question and all context cut off", expects="refusal")
def truncated(item: Item, luck: Random) -> Item | None:
    if len(item.question) < LEAST:
        return None
    return item._replace(question=item.question[: int(KEPT * len(item.question))].rstrip(), context=None)
