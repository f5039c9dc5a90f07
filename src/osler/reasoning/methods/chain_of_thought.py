"""Reasoning in words before the answer."""

from osler.reasoning.asking import think
from osler.reasoning.passages import given
from osler.reasoning.registry import Draft, Question, method
from osler.reasoning.resources import Run


@method("chain-of-thought", paper="Wei et al., NeurIPS 2022", calls="1")
def chain_of_thought(question: Question, run: Run) -> Draft:
    """A few sentences of reasoning, then the option they come to."""
    return think(question, run, given(question))
