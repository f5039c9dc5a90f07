"""In-context padding: what the graph says of the question's clinical elements is put before the question."""

from osler.reasoning.asking import decide, words_of
from osler.reasoning.graph_context import element_evidence
from osler.reasoning.passages import given
from osler.reasoning.registry import Draft, Question, method
from osler.reasoning.resources import Run


@method("clinical-elements", paper="Wu et al., LREC-COLING 2024 (in-context padding)", calls="1", writes=False)
def clinical_elements(question: Question, run: Run) -> Draft:
    """Concepts of question and options are found in the graph; their definitions and relations pad the prompt."""
    found = element_evidence(question, run)
    return decide(question, run, [*given(question), *found], before=words_of(question)["elements"] if found else "")
