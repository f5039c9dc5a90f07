"""Exams by blueprint: which topics, how many items of which kind and level, and the paper, key and table they make."""

from osler.education.exams.blueprint import Blueprint, Part, read_blueprint
from osler.education.exams.exam import Exam, exam_of, make_exam, of_quiz
from osler.education.exams.write import ENDINGS, write

__all__ = ["ENDINGS", "Blueprint", "Exam", "Part", "exam_of", "make_exam", "of_quiz", "read_blueprint", "write"]
