"""Answer with sentences of the evidence, word for word, each cited and verified. No language model is asked.

With options, the one that the evidence speaks for; where it speaks for none or for several, no answer.
"""

from osler.nouns import Abstention
from osler.reasoning.choose import choose
from osler.reasoning.extract import diverse
from osler.reasoning.passages import passages_for, sentences_for
from osler.reasoning.registry import Claim, Draft, Question, method
from osler.reasoning.relevance import missing, speaks_to
from osler.reasoning.resources import Run
from osler.reasoning.scope import outside
from osler.reasoning.words import WORDS
from osler.text import language_of

SENTENCES = 4
KEPT = 0.6  # of the best sentence's score: what is much weaker is left out


@method("extractive", paper="Carbonell and Goldstein, SIGIR 1998 (maximal marginal relevance)")
def extractive(question: Question, run: Run) -> Draft:
    """The best one to four sentences, or an abstention that says what is missing."""
    words = WORDS[language_of(question.text)]
    evidence = passages_for(question, run)
    found = diverse(sentences_for(question, evidence, run), SENTENCES)
    far = outside(question, evidence, run)
    if far or not speaks_to(question, found, evidence):
        reason = words["outside" if far else "nothing_context" if question.context is not None else "nothing"]
        return Draft(abstained=Abstention(reason=reason, missing=missing(question.text, evidence, words)))
    key = None
    if question.options:
        key, found = choose(question, found, run)
    kept = [Claim(item.text, [item.evidence]) for item in found if item.score >= KEPT * found[0].score]
    return Draft(kept, {key: 1.0} if key else {}, evidence)
