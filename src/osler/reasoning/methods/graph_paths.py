"""Paths of the knowledge graph between what the question tells and what its options name, ranked by their meaning.

The paths are found in the graph, not by a model, so each is a chain of annotated rows.
"""

from osler.reasoning.asking import decide
from osler.reasoning.graph_context import path_evidence
from osler.reasoning.passages import given
from osler.reasoning.registry import Draft, Question, method
from osler.reasoning.resources import Run

PAPER = "Yang et al., BioNLP 2024 (KG-Rank); Gao et al., JMIR AI 2025 (DR.KNOWS)"


@method("graph-paths", paper=PAPER, calls="1", writes=False)
def graph_paths(question: Question, run: Run) -> Draft:
    """Graph paths from the question's concepts to each option's, re-ranked against the question, before it is asked."""
    return decide(question, run, [*given(question), *path_evidence(question, run)])
