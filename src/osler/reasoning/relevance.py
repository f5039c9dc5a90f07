"""Whether what was found speaks to the question at all, and what is missing if not: the ground of every abstention.

Thresholds were chosen on development questions (docs/decisions/verification.md). It does not judge an answer.
"""

from collections.abc import Sequence

from osler.nouns import Evidence
from osler.reasoning.extract import Sentence, heading
from osler.reasoning.registry import Question
from osler.reasoning.verify.terms import Term, terms
from osler.text import has_chinese

ENOUGH = 0.44  # score of the best sentence from which the library speaks to a question
WITHOUT_NAME = 0.6  # the same where no passage has a rare word of the question
WITHIN = 0.25  # the same for a text that was given with the question
RARE = 1.25  # weight of a rare word


def speaks_to(question: Question, found: Sequence[Sentence], evidence: Sequence[Evidence]) -> bool:
    """Whether the best of `found` answers the question well enough to be shown."""
    if not found:
        return False
    if question.context is not None:
        return found[0].score >= WITHIN
    if has_chinese(question.text) and not has_chinese(found[0].evidence.text):
        return found[0].score >= ENOUGH  # the question's words can't be in these passages
    unnamed = any(term.weight >= RARE for term in _absent(question.text, evidence))
    return found[0].score >= (WITHOUT_NAME if unnamed else ENOUGH)


def missing(text: str, evidence: Sequence[Evidence], words: dict[str, str]) -> list[str]:
    """What an answer would need: passages with the question's words that none has, else more documents."""
    if has_chinese(text):
        return [words["missing_any"]]
    absent = [term.word for term in _absent(text, evidence) if term.weight >= 0.5]
    if absent:
        return [words["missing_terms"].format(terms=", ".join(dict.fromkeys(absent[:5])))]
    return [words["missing_any"]]


def _absent(text: str, evidence: Sequence[Evidence]) -> list[Term]:
    known = {key for item in evidence for term in terms(f"{item.text}\n{heading(item)}") for key in term.keys}
    return [term for term in terms(text) if term.quantity is None and term.keys.isdisjoint(known)]
