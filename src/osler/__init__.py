"""Osler: a general language model turned into a medical one, evidence first, on the user's own machine."""

__version__ = "0.1.0"
