"""Solved questions before the one that is asked: the same ones for all, of the question's language."""

from osler.reasoning.asking import decide
from osler.reasoning.examples import examples
from osler.reasoning.passages import given
from osler.reasoning.registry import Draft, Question, method
from osler.reasoning.resources import Run
from osler.text import language_of

SHOTS = 3


@method("few-shot", paper="Brown et al., NeurIPS 2020 (few-shot)", calls="1", writes=False)
def few_shot(question: Question, run: Run) -> Draft:
    """The likeliest option letter after three solved questions."""
    return decide(question, run, given(question), examples=examples(language_of(question.text))[:SHOTS])
