"""Medical calculators: published formulas and scores as data, computed exactly, with units, steps and the citation."""

from osler.reasoning.calculators.calculate import Result, calculate, calculate_text, case_values, pairs
from osler.reasoning.calculators.catalogue import calculators, described, find

__all__ = ["Result", "calculate", "calculate_text", "calculators", "case_values", "described", "find", "pairs"]
