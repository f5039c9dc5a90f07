"""Medprompt: the solved questions nearest to the asked one, chains of thought, and options in shuffled order."""

from osler.reasoning.asking import Reply, chat, claims_of, replies, shuffled, speaking_for, think, votes_of
from osler.reasoning.examples import nearest
from osler.reasoning.passages import given
from osler.reasoning.registry import Draft, Question, method
from osler.reasoning.resources import Run

SHOTS, ORDERS, TEMPERATURE = 3, 3, 0.3


@method("medprompt", paper="Nori et al., 2023, arXiv 2311.16452", calls=f"{ORDERS}")
def medprompt(question: Question, run: Run) -> Draft:
    """Three nearest solved questions, then chains of thought over three orders of the options; the majority."""
    read, shots = given(question), nearest(question, SHOTS, run)
    if not question.options:
        return think(question, run, read, examples=shots)
    made = []
    for seed in range(ORDERS):
        asked, old = shuffled(question, seed)
        [reply] = replies([chat(asked, "think", read=read, examples=shots)], asked, run, TEMPERATURE if seed else 0.0)
        made.append(Reply(reply.text, old.get(reply.key or "")))
    votes = votes_of(made)
    in_order = [reply for reply in made[:1] if reply.key == next(iter(votes), None)]
    return Draft(claims_of(speaking_for(in_order or made, votes)), votes, read)
