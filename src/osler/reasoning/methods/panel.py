"""A panel of specialists with a chair; an easy question goes to one reader."""

from osler.models import Message
from osler.reasoning.asking import chat, likely, listed, replies, several, think, votes_of, words_of
from osler.reasoning.passages import given
from osler.reasoning.registry import Draft, Question, method
from osler.reasoning.resources import Run
from osler.text import shorten

SPECIALISTS = 3
HARD = 0.5  # share of "B" from which a panel is called
OPINION = 500  # code points of each that the chair reads


@method(
    "panel",
    paper="Tang et al., Findings of ACL 2024 (MedAgents); Kim et al., NeurIPS 2024 (MDAgents)",
    calls=f"2, or {SPECIALISTS + 3} for a hard question",
)
def panel(question: Question, run: Run) -> Draft:
    """The model says whether the question is hard; specialists it names then give opinions and a chair decides."""
    words, read = words_of(question), given(question)
    about = f"{question.text}{listed(question)}"
    hard = likely(
        [Message("user", f"{words['difficulty'].format(question=about)}\n\n{words['difficulty_letter']}")], "AB", run
    )
    if hard["B"] < HARD:
        return think(question, run, read)
    asked = words["recruit"].format(most=SPECIALISTS, question=question.text, options=listed(question))
    roles = [
        (name, words["specialist"].format(specialty=shorten(name, 60))) for name in several(asked, SPECIALISTS, run)
    ]
    opinions = replies([chat(question, "think", read=read, role=role) for _, role in roles], question, run)
    found = "\n".join(f"- {name}: {shorten(one.text, OPINION)}" for (name, _), one in zip(roles, opinions, strict=True))
    decided = think(question, run, read, before=words["chair"].format(found=found))
    return decided if decided.votes else decided._replace(votes=votes_of(opinions))
