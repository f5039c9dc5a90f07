"""What a learner's line asks for: topics, symptoms and remarks, by the concepts it names and the prompts it is near.

It does not know what the script says to it.
"""

import re
from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

import numpy as np

from osler.education.patient.script import TOPICS, WORDS, Fact
from osler.knowledge.concepts.recogniser import lay_names
from osler.knowledge.graph import load_graph
from osler.models.embedder import Embedder, Vectors
from osler.text import Language

NEAR = 0.87  # cosine from which a prompt is meant; read off the tune part
SURE = 0.90  # from which a part of a question is a question of its own
_SPLIT = re.compile(
    r"[?？;；。]\s*|(?<=\w)[,，、]\s*(?:and\s+|or\s+)?|\s+and\s+(?:do|does|did|are|have|has|how|what|where|when|who|is)?\b|\s+or\s+|(?<=[a-z])\.\s+"
)
_QUESTION = re.compile(
    r"(?i)[?？]|^\W*(and |so |ok(ay)?,? )*(do|does|did|have|has|had|are|is|was|were|any|when|where|why|how|which|who|"
    r"what|tell|describe|ever|can you|could you|show|please)\b|吗|什么|哪|几|多|怎|有没有|呢|说说|说一?下|讲"
)


class Prompts(NamedTuple):
    keys: tuple[str, ...]
    vectors: Vectors


@cache
def prompts(embedder: Embedder, language: Language) -> Prompts:
    """All prompts of a language with what each asks for."""
    pairs = [(key, text) for key, topic in TOPICS.items() for text in topic[language]]
    return Prompts(tuple(key for key, _ in pairs), embedder.embed_queries([text for _, text in pairs]))


def own_prompts(facts: Sequence[Fact], embedder: Embedder, language: Language) -> Prompts:
    """A prompt for each name of what the facts are about: the key is `fact:` and its id."""
    pairs = []
    for fact in facts:
        names = [*fact.names, *(name for code in fact.codes[:2] for name in _names(code, language))]
        pairs += [(f"fact:{fact.id}", WORDS[language]["have"].format(name)) for name in dict.fromkeys(names)]
    if not pairs:
        return Prompts((), np.zeros((0, embedder.info.dimension), dtype=np.float32))
    return Prompts(tuple(key for key, _ in pairs), embedder.embed_queries([text for _, text in pairs]))


@cache
def _names(code: str, language: Language) -> tuple[str, ...]:
    node = load_graph().find(code)
    if node is None:
        return ()
    if language == "zh":
        return (node.label_zh,) if node.label_zh else ()
    lay = [one.name for one in lay_names() if one.code == code and one.name.isascii() and not one.name.isupper()]
    return tuple(dict.fromkeys([node.label, *node.synonyms[:4], *lay[:6]]))


def is_question(text: str) -> bool:
    """Whether a line asks, rather than remarks."""
    return bool(_QUESTION.search(text))


def parts(text: str) -> list[str]:
    """The line and, where it asks several things, each of them."""
    pieces = [piece.strip() for piece in _SPLIT.split(text) if piece and piece.strip()]
    return [text, *pieces] if len(pieces) > 1 else [text]
