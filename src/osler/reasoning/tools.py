"""The tools a model may call while it reasons: each takes a text and returns evidence; none changes anything.

They run on this machine. What can't be found or worked out comes back as a sentence that says so.
"""

from collections.abc import Callable
from typing import NamedTuple

from osler.errors import InputError
from osler.nouns import Evidence, Source
from osler.reasoning.graph_context import element_evidence
from osler.reasoning.registry import Question
from osler.reasoning.resources import Run
from osler.text import Language

FINISH = "finish"
PASSAGES = 2


class Tool(NamedTuple):
    """`about`: what it does and what its input is, by language, for the model."""

    name: str
    about: dict[Language, str]
    call: Callable[[str, Run], list[Evidence]]


def tools() -> dict[str, Tool]:
    """All of them, by name."""
    found = (
        Tool("search", {"en": "passages of the library; input: a query", "zh": "检索文献库；输入：检索语句"}, _search),
        Tool(
            "graph",
            {"en": "what the knowledge graph says; input: medical terms", "zh": "查询知识图谱；输入：医学术语"},
            _graph,
        ),
        Tool(
            "calculator",
            {
                "en": "a medical calculator; input: NAME; key=value unit; ...",
                "zh": "医学计算器；输入：名称; 参数=数值 单位; ...",
            },
            _calculate,
        ),
        Tool(
            "interactions",
            {"en": "interactions between drugs; input: drug names", "zh": "药物相互作用；输入：药名"},
            _interactions,
        ),
    )
    return {tool.name: tool for tool in found}


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

    return interaction_sentences(text, run)
