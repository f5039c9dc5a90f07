"""A question in, a checked answer with its evidence out, by a named method. It knows no method itself."""

from osler.nouns import Answer
from osler.reasoning.registry import Question, find_method
from osler.reasoning.resources import Run

__all__ = ["Question", "answer"]


def answer(question: Question, run: Run, method: str | None = None) -> Answer:
    """Answer by `method`, else the question's own, else by a privileged model, else extractively.

    What the answer cites is in `run.evidence`.

    Raises InputError for an unknown method.
    """
    return find_method(method or question.method or "generative").function(question, run)
