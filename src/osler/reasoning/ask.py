"""A question in, a checked answer with its evidence out, by a named method. It knows no method itself."""

from osler.nouns import Answer
from osler.reasoning.checking import checked
from osler.reasoning.privilege import withheld
from osler.reasoning.registry import Question, find_method
from osler.reasoning.resources import Run
from osler.text import language_of

__all__ = ["Question", "answer"]

DEFAULT = "retrieve-then-read"


def answer(question: Question, run: Run, method: str | None = None) -> Answer:
    """Answer by `method`, else the question's own, else by a privileged model; extractively, and saying why, where the
    model has no privilege for it. What the answer cites is in `run.evidence`.

    Raises InputError for an unknown method.
    """
    info, why = find_method(method or question.method or DEFAULT), None
    if info.calls != "none":
        task = "answer" if info.writes or not question.options else "options"
        why = withheld(task, language_of(question.text), run)
        if why:
            info = find_method("extractive")
    return checked(info.function(question, run), question, info, run).model_copy(update={"withheld": why})
