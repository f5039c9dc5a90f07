"""Training data: read, checked, divided, and written with a data sheet."""

from osler.adaptation.data.prepare import prepare

__all__ = ["prepare"]
