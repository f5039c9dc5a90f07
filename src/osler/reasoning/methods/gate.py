"""Does retrieval help here? A learned gate over answers with and without evidence, and none where they disagree.

Each option is weighed by what the arms give it and by how well the passages speak for it; a conditional logit, fitted
on tune parts by scripts/train_gate.py, makes that a calibrated chance. Below `models.sure` it abstains.
"""

import functools
import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from osler.nouns import Abstention
from osler.reasoning.asking import decide, shares
from osler.reasoning.graph_context import path_evidence
from osler.reasoning.packing import packed
from osler.reasoning.passages import given, passages_for, sentences_for
from osler.reasoning.registry import Draft, Question, method
from osler.reasoning.resources import Run
from osler.reasoning.words import WORDS
from osler.text import language_of

WEIGHTS = Path(__file__).parent / "gate.json"
ARMS = ("direct", "passages", "paths")
LEAST = 1e-3  # share below which shares are alike


@method(
    "gate", paper="Geifman and El-Yaniv, NeurIPS 2017 (selective answering), over its arms", calls="3", writes=False
)
def gate(question: Question, run: Run) -> Draft:
    """The option that answers with and without evidence agree on, with a calibrated confidence, or no answer."""
    if not question.options:
        return decide(question, run, packed(passages_for(question, run), question, run))
    found, read = arms(question, run)
    chances = shares({key: float(weights() @ values) for key, values in features(question, found, run).items()})
    best = max(chances, key=chances.__getitem__)
    words = WORDS[language_of(question.text)]
    unsure = run.kind != "bench" and chances[best] < run.settings.models.sure  # the bench draws the whole curve
    nothing = Abstention(reason=words["unsure"], missing=[words["missing_option"]]) if unsure else None
    return Draft(votes=chances, read=read.read, confidence=round(chances[best], 4), abstained=nothing)


def arms(question: Question, run: Run) -> tuple[dict[str, Draft], Draft]:
    """The drafts of all arms by name, and the one that read passages."""
    context = given(question)
    found = {
        "direct": decide(question, run, context),
        "passages": decide(question, run, packed(passages_for(question, run), question, run)),
        "paths": decide(question, run, [*context, *path_evidence(question, run)]),
    }
    return found, found["passages"]


def features(question: Question, found: Mapping[str, Draft], run: Run) -> dict[str, np.ndarray]:
    """By option: each arm's log share, how many arms put it first, and how well its best sentence speaks for it
    (above the mean of all options). Shape (5,) each."""
    assert question.options
    first = [max(draft.votes, key=draft.votes.__getitem__) for draft in found.values()]
    read = found["passages"].read
    spoken = {}
    for key, text in question.options.items():
        best = sentences_for(question, read, run, extra=text)
        spoken[key] = best[0].score if best else 0.0
    mean = float(np.mean(list(spoken.values())))
    return {
        key: np.array(
            [
                *(np.log(max(LEAST, found[name].votes[key])) for name in ARMS),
                first.count(key) / len(ARMS),
                spoken[key] - mean,
            ]
        )
        for key in question.options
    }


@functools.cache
def weights() -> np.ndarray:
    """Shape (5,), in the order of `features`."""
    return np.array(json.loads(WEIGHTS.read_text(encoding="utf-8"))["weights"])
