"""Ask at once: the option whose letter the model holds for likeliest, or one reply without steps before it."""

from osler.reasoning.asking import decide
from osler.reasoning.passages import given
from osler.reasoning.registry import Draft, Question, method
from osler.reasoning.resources import Run


@method("direct", paper="Brown et al., NeurIPS 2020 (zero-shot)", calls="1", writes=False)
def direct(question: Question, run: Run) -> Draft:
    """The likeliest option letter as the next token."""
    return decide(question, run, given(question))
