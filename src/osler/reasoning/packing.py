"""Which passages a model is shown: re-ranked by their best sentence, then as many as its context holds.

Length is what the model's own tokenizer counts. It does not search.
"""

from collections.abc import Sequence

from osler.nouns import Evidence
from osler.reasoning.fence import fenced
from osler.reasoning.passages import sentences_for
from osler.reasoning.registry import Question
from osler.reasoning.resources import Run

REPLY = 600  # tokens kept free for question, instructions and reply beside what the question itself takes


def packed(evidence: Sequence[Evidence], question: Question, run: Run) -> list[Evidence]:
    """Passages, best first, none twice, within `models.reading` tokens and the model's context."""
    best = {item.evidence.id: None for item in sentences_for(question, evidence, run)}
    by_id = {item.id: item for item in evidence}
    model, room = run.resources.model, run.settings.models.reading
    room = min(
        room, model.info.context - REPLY - model.count(question.text + "".join((question.options or {}).values()))
    )
    chosen: list[Evidence] = []
    for item in [by_id[identifier] for identifier in dict.fromkeys([*best, *by_id])]:
        room -= model.count(fenced([item]))
        if room < 0:
            break
        chosen.append(item)
    return chosen
