"""A case's findings, the diseases that explain them, how sure that is, and what to ask where it isn't.

Findings and ranking are Osler's own, so the chain up to the confidence is made of annotated rows; the model decides
among what they leave.
"""

import math

from osler.nouns import Evidence, RankedDisease, Source
from osler.reasoning.asking import decide, words_of
from osler.reasoning.passages import given
from osler.reasoning.registry import Draft, Question, method
from osler.reasoning.resources import Run
from osler.text import language_of

SHOWN, SURE = 5, 0.5


@method("chain-of-diagnosis", paper="Chen et al., 2024, arXiv 2407.13301", calls="1", writes=False)
def chain_of_diagnosis(question: Question, run: Run) -> Draft:
    """Findings, ranked diseases with their confidence, and a decision; below one half, the next question as well."""
    from osler.knowledge.diagnosis import next_questions, rank

    words, language = words_of(question), language_of(question.text)
    text = f"{question.context}\n{question.text}" if question.context else question.text
    found = [item for item in run.resources.recogniser.find(text) if item.experiencer == "patient"]
    observed = [item.code for item in found if item.status == "present" and item.code.startswith("HP:")]
    excluded = [item.code for item in found if item.status == "absent" and item.code.startswith("HP:")]
    ranked = rank(observed, excluded, top=100, general=True) if observed else []
    run.note("diagnosis.rank", {"observed": observed, "excluded": excluded}, [item.id for item in ranked[:SHOWN]])
    confidence = _confidence(ranked)
    lines = [f"{run.resources.graph.label(item.id, language)} {share:.0%}" for item, share in confidence]
    own = [_evidence(item, share) for item, share in confidence]
    read = [*given(question), *own]
    before = words["differential"].format(found="\n".join(lines)) if lines else ""
    unsure = ranked and confidence[0][1] < SURE
    asked = next_questions(observed, excluded, ranked, 1, language) if unsure else []
    made = decide(question, run, given(question), before=before)
    return made._replace(read=read, next_question=asked[0].question if asked else None)


def _confidence(ranked: list[RankedDisease]) -> list[tuple[RankedDisease, float]]:
    """Each of the first diseases with its share of the evidence: scores are log-odds-like, so a softmax over all."""
    if not ranked:
        return []
    weights = [math.exp(item.score - ranked[0].score) for item in ranked]
    return [(item, weight / sum(weights)) for item, weight in zip(ranked[:SHOWN], weights, strict=False)]


def _evidence(item: RankedDisease, share: float) -> Evidence:
    text = f"{item.label} ({item.id}): {share:.0%} of the evidence among the diseases ranked."
    return Evidence(id=f"differential:{item.id}", kind="edge", text=text, source=Source(title="Osler's differential"))
