"""Answer with sentences of the evidence, word for word, each cited and verified. No language model is asked.

With options, the one that the evidence speaks for; where it speaks for none or for several, no answer.
"""

from osler.nouns import Abstention, Answer, Statement
from osler.reasoning.choose import choose
from osler.reasoning.extract import Sentence, diverse
from osler.reasoning.passages import passages_for, sentences_for
from osler.reasoning.registry import Question, method
from osler.reasoning.relevance import missing, speaks_to
from osler.reasoning.resources import Run
from osler.reasoning.verify import verify
from osler.reasoning.words import WORDS
from osler.text import language_of

SENTENCES = 4
KEPT = 0.6  # of the best sentence's score: what is much weaker is left out


@method("extractive", paper="Carbonell and Goldstein, SIGIR 1998 (maximal marginal relevance)")
def extractive(question: Question, run: Run) -> Answer:
    """The best one to four sentences, or an abstention that says what is missing."""
    words = WORDS[language_of(question.text)]
    evidence = passages_for(question, run)
    found = diverse(sentences_for(question, evidence, run), SENTENCES)
    choice = abstained = None
    if not speaks_to(question, found, evidence):
        reason = words["nothing_context" if question.context is not None else "nothing"]
        abstained, found = Abstention(reason=reason, missing=missing(question.text, evidence, words)), []
    elif question.options:
        choice, found = choose(question, found, run)
        if choice is None:
            abstained = Abstention(reason=words["tie"], missing=[words["missing_option"]])
    return Answer(
        question=question.text,
        statements=[_statement(item, run) for item in found if item.score >= KEPT * found[0].score],
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
