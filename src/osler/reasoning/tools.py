"""The tools a model may call while it reasons: each takes a text and returns evidence; none changes anything.

They run on this machine. What can't be found or worked out comes back as a sentence that says so.
"""

from collections.abc import Callable

from osler.errors import InputError
from osler.nouns import Evidence, Source
from osler.reasoning.graph_context import element_evidence
from osler.reasoning.registry import Question
from osler.reasoning.resources import Run

FINISH = "finish"
PASSAGES = 2


Tool = Callable[[str, Run], list[Evidence]]


def tools() -> dict[str, Tool]:
    """All of them, by name; `prompts/tools.toml` tells a model what each takes."""
    return {"search": _search, "graph": _graph, "calculator": _calculate, "interactions": _interactions}


def _search(text: str, run: Run) -> list[Evidence]:
    return run.search(text, PASSAGES) if text else []


def _graph(text: str, run: Run) -> list[Evidence]:
    return element_evidence(Question(text=text), run) if text else []


def _calculate(text: str, run: Run) -> list[Evidence]:
    from osler.reasoning.calculators import calculate_text

    try:
        said = calculate_text(text)
    except InputError as error:
        said = f"{error.message}. {error.hint or ''}".strip()
    return [Evidence(id=f"calculator:{text}", kind="record", text=said, source=Source(title="calculator"))]


def _interactions(text: str, run: Run) -> list[Evidence]:
    from osler.knowledge.drugs import interaction_sentences

    return interaction_sentences(text, run.settings)
