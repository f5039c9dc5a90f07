"""Answer with sentences of the evidence, word for word, each cited and verified. No language model is asked.

With options, the one that the evidence speaks for; where it speaks for none or for several, no answer.
"""

from collections.abc import Sequence

from osler.nouns import Abstention, Answer, Evidence, Statement
from osler.reasoning.choose import choose
from osler.reasoning.extract import Sentence, best_sentences
from osler.reasoning.passages import other_language, passages_for
from osler.reasoning.registry import Question, method
from osler.reasoning.resources import Run
from osler.reasoning.verify import verify
from osler.reasoning.verify.terms import terms
from osler.reasoning.words import WORDS
from osler.text import language_of

SENTENCES = 4
ENOUGH = 0.42  # of the best sentence's score; chosen on development questions, docs/decisions/verification.md
KEPT = 0.6  # of the best sentence's score: what is much weaker is left out


@method("extractive", paper="Carbonell and Goldstein, SIGIR 1998 (maximal marginal relevance)")
def extractive(question: Question, run: Run) -> Answer:
    """The best two to four sentences, or an abstention that says what is missing."""
    words = WORDS[language_of(question.text)]
    evidence = passages_for(question, run)
    query = " ".join(part for part in (question.text, other_language(question.text, run)) if part)
    found = best_sentences(query, evidence, run, SENTENCES) if evidence else []
    choice = None
    abstained = None
    if not found or found[0].score < ENOUGH:
        reason = words["nothing_context" if question.context is not None else "nothing"]
        abstained, found = Abstention(reason=reason, missing=_missing(question.text, evidence, words)), []
    found = [item for item in found if item.score >= KEPT * found[0].score]
    if question.options and not abstained:
        chosen = choose(question, found, run)
        if chosen.key is None:
            abstained = Abstention(reason=words["tie"], missing=[words["missing_option"]])
        choice, found = chosen.key, chosen.sentences or found
    return Answer(
        question=question.text,
        statements=[_statement(item, run) for item in found],
        choice=choice,
        abstained=abstained,
        method="extractive",
        mode="extractive",
        trace_id=run.id,
    )


def _statement(sentence: Sentence, run: Run) -> Statement:
    identifier = run.cite(sentence.evidence)
    verdict = verify(sentence.text, [sentence.evidence]).verdict
    return Statement(text=sentence.text, evidence=[identifier], verdict=verdict)


def _missing(text: str, evidence: Sequence[Evidence], words: dict[str, str]) -> list[str]:
    """The question's words that no passage has."""
    known = {key for item in evidence for term in terms(item.text) for key in term.keys}
    absent = [term.word for term in terms(text) if term.weight >= 1 and term.keys.isdisjoint(known)]
    if absent:
        return [words["missing_terms"].format(terms=", ".join(dict.fromkeys(absent[:5])))]
    return [words["missing_any"]]
