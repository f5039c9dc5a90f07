"""Questions for learners, written from the graph and the library; every key checked, every option explained."""

from osler.education.quiz.flaws import find_flaws
from osler.education.quiz.writing import DIFFICULTIES, KINDS, LEVELS, Quiz, Wish, make_quiz, quiz_on, write_quiz

__all__ = ["DIFFICULTIES", "KINDS", "LEVELS", "Quiz", "Wish", "find_flaws", "make_quiz", "quiz_on", "write_quiz"]
