"""Likeness (e5-small): how near each sentence's embedding has one in the other text, after BERTScore's greedy matching.

BERTScore (Zhang et al. 2020) matches tokens of another model, so the two figures can't be compared. The cosines of e5
lie between about 0.7 and 1 even for texts of different matters: read it beside its baseline.
"""

from osler.models.embedder import Embedder
from osler.text import sentences

NAME = "likeness (e5-small)"


def likeness(candidate: str, reference: str, embedder: Embedder) -> float | None:
    """F1 of the mean best cosine of the candidate's sentences and of the reference's; None where a text has none."""
    said, wanted = ([text[start:end] for start, end in sentences(text)] for text in (candidate, reference))
    if not said or not wanted:
        return None
    vectors = embedder.embed_queries([*said, *wanted])
    cosines = vectors[: len(said)] @ vectors[len(said) :].T
    precision, recall = float(cosines.max(axis=1).mean()), float(cosines.max(axis=0).mean())
    return 2 * precision * recall / (precision + recall)
