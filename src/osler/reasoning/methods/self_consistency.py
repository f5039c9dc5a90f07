"""Several sampled chains of thought, and the answer most of them come to."""

from osler.reasoning.asking import chat, claims_of, replies, speaking_for, votes_of
from osler.reasoning.passages import given
from osler.reasoning.registry import Draft, Question, method
from osler.reasoning.resources import Run

CHAINS, TEMPERATURE = 5, 0.7


@method("self-consistency", paper="Wang et al., ICLR 2023", calls=f"{CHAINS}")
def self_consistency(question: Question, run: Run) -> Draft:
    """The majority of five sampled chains of thought; how many agree is shown."""
    read = given(question)
    made = replies([chat(question, "think", read=read)] * CHAINS, question, run, TEMPERATURE)
    votes = votes_of(made)
    return Draft(claims_of(speaking_for(made, votes)), votes, read)
