"""What is known of drugs: their names and classes, and what they do to each other. It knows nothing of a patient."""

from osler.knowledge.drugs.sentences import interaction_sentences

__all__ = ["interaction_sentences"]
