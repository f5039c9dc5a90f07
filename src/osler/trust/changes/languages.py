"""English text with Chinese terms and the reverse, by the graph's labels."""

from random import Random

from osler.knowledge.graph import load_graph
from osler.text import has_chinese
from osler.trust.rewriting import terms
from osler.trust.variants import text_change


@text_change("mixed language", "an English question with Chinese terms, or the reverse")
def languages(text: str, luck: Random) -> str:
    chinese = has_chinese(text)
    return terms(text, luck, lambda mention: _label(mention.code, chinese))


def _label(code: str, from_chinese: bool) -> list[str]:
    label = load_graph().label(code, "en" if from_chinese else "zh")
    return [label] if has_chinese(label) != from_chinese else []
