"""Retrieve-then-read: the model writes from fenced passages, and each statement cites the passages it rests on.

Only passages that were shown can be cited; what an endpoint cites beyond them is dropped.
"""

from collections.abc import Sequence
from typing import Any

from osler.nouns import Abstention, Evidence
from osler.reasoning.asking import decide
from osler.reasoning.cited import cited_request, parsed
from osler.reasoning.packing import packed
from osler.reasoning.passages import passages_for, sentences_for
from osler.reasoning.registry import Claim, Draft, Question, method
from osler.reasoning.relevance import missing, speaks_to
from osler.reasoning.resources import Run
from osler.reasoning.words import WORDS
from osler.text import language_of


@method(
    "retrieve-then-read", paper="Lewis et al., NeurIPS 2020 (retrieval-augmented generation)", calls="1", writes=False
)
def retrieve_then_read(question: Question, run: Run) -> Draft:
    """Passages first: the likeliest option after them; an open question gets statements that cite them, or an
    abstention where they don't speak to it."""
    evidence, language = passages_for(question, run), language_of(question.text)
    if question.options:
        return decide(question, run, packed(evidence, question, run))
    words = WORDS[language]
    if not speaks_to(question, sentences_for(question, evidence, run), evidence):
        reason = words["nothing_context" if question.context is not None else "nothing"]
        return Draft(abstained=Abstention(reason=reason, missing=missing(question.text, evidence, words)))
    read = packed(evidence, question, run)
    asked = cited_request(question.text, read, language, seed=run.settings.consult.seed)
    written = parsed(run.generate([asked])[0].text).get("statements", [])
    return Draft([_claim(item, read) for item in written if item["text"].strip()], read=read)


def _claim(item: dict[str, Any], read: Sequence[Evidence]) -> Claim:
    cited = dict.fromkeys(item["passages"])
    return Claim(item["text"], [read[number - 1] for number in cited if 0 < number <= len(read)])
