"""Does a question lie in what the library and the vocabulary cover? If not, no passage with its words answers it.

Thresholds were chosen on tune parts of tests/sets/off_topic.jsonl and of three medical sets (benchmarks/robustness.md).
"""

from collections.abc import Sequence

from osler.nouns import Evidence
from osler.reasoning.registry import Question
from osler.reasoning.resources import Run
from osler.text import language_of

NEAR = {"en": 0.85, "zh": 0.812}  # cosine of the nearest passage to questions of medicine, about the least
READ = 3  # of the best passages
NAMED = 0.05  # what known terms add, were they all of the question


def nearness(text: str, evidence: Sequence[Evidence], run: Run) -> float:
    """Cosine of the nearest passage, and a little for the share of the text that names known terms."""
    terms = run.resources.recogniser.mentions(text)
    named = sum(one.end - one.start for one in terms) / len(text)
    if not evidence:
        return NAMED * named
    embedder = run.resources.embedder
    vectors = embedder.embed_passages([item.text for item in evidence[:READ]])
    return float(max(vectors @ embedder.embed_queries([text])[0])) + NAMED * named


def outside(question: Question, evidence: Sequence[Evidence], run: Run) -> bool:
    """Whether the question names nothing that is known and no passage is near it. One with a text of its own is not."""
    if question.context is not None or run.resources.recogniser.mentions(question.text):
        return False
    return nearness(question.text, evidence, run) < NEAR[language_of(question.text)]
