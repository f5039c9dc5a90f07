"""From findings to ranked diseases, the reasons row by row, and the next best question.

It knows published annotations, not how common a disease is where the patient lives: scores order diseases within
one case, and no probability is given.
"""

from osler.knowledge.diagnosis.explaining import explain
from osler.knowledge.diagnosis.query import Query, prepare
from osler.knowledge.diagnosis.questions import next_questions
from osler.knowledge.diagnosis.ranking import Ranker, load_ranker, rank

__all__ = ["Query", "Ranker", "explain", "load_ranker", "next_questions", "prepare", "rank"]
