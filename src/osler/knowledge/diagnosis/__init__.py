"""From findings to ranked diseases, the reasons row by row, and the next best question.

It knows published annotations, what texts say and the project's profiles of common diseases, not how common a disease
is where the patient lives: scores order diseases within one case, and a probability is given only for a reference
population that is named.
"""

from osler.knowledge.diagnosis.explaining import explain
from osler.knowledge.diagnosis.population import Population, load_prevalences, with_probabilities
from osler.knowledge.diagnosis.profiles import common_diseases
from osler.knowledge.diagnosis.query import Query, prepare
from osler.knowledge.diagnosis.questions import next_questions
from osler.knowledge.diagnosis.ranking import Ranker, load_ranker, rank

__all__ = [
    "Population", "Query", "Ranker", "common_diseases", "explain", "load_prevalences", "load_ranker", "next_questions",
    "prepare", "rank", "with_probabilities",
]  # fmt: skip
