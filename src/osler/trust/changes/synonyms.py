"""Terms under another of their names, by the graph's labels and synonyms."""

from random import Random

from osler.knowledge.concepts.matcher import Mention
from osler.knowledge.graph import load_graph
from osler.text import has_chinese
from osler.trust.rewriting import terms
from osler.trust.variants import text_change


@text_change("synonyms", "terms under another of their names in the graph")
def synonyms(text: str, luck: Random) -> str:
    return terms(text, luck, _others)


def _others(mention: Mention) -> list[str]:
    node = load_graph().find(mention.code)
    names = [] if node is None or has_chinese(mention.text) else [node.label, *node.synonyms]
    return [name for name in names if not name.isupper() and "," not in name and name.lower() != mention.text.lower()]
