"""A topic explained to a patient, a student, a resident or a specialist, with its readability measured."""

from osler.education.explaining.readability import Readability, readability
from osler.education.explaining.writing import LEVELS, Explanation, explain, explanation_of

__all__ = ["LEVELS", "Explanation", "Readability", "explain", "explanation_of", "readability"]
