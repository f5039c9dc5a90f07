"""A draft, questions that would show it wrong, their answers from passages alone, and a second draft."""

from osler.models import Message
from osler.nouns import Evidence
from osler.reasoning.asking import chat, claims_of, listed, replies, several, votes_of, words_of
from osler.reasoning.fence import fenced
from osler.reasoning.passages import given
from osler.reasoning.registry import Draft, Question, method
from osler.reasoning.resources import Run
from osler.text import shorten

CHECKS, PASSAGES = 3, 2


@method("chain-of-verification", paper="Dhuliawala et al., Findings of ACL 2024", calls=f"{CHECKS + 3}")
def chain_of_verification(question: Question, run: Run) -> Draft:
    """The draft's facts are asked for one by one, without the draft in sight, and the answer is written again."""
    words, read = words_of(question), given(question)
    made = replies([chat(question, "think", read=read)], question, run)
    asked = {"question": question.text, "options": listed(question), "draft": made[0].text}
    checks = several(words["verify_plan"].format(most=CHECKS, **asked), CHECKS, run)
    hits: list[list[Evidence]] = [run.search(check, PASSAGES) for check in checks]
    if checks:
        chats = [
            [Message("user", words["brief"].format(passages=fenced(some), question=check))]
            for check, some in zip(checks, hits, strict=True)
        ]
        answers = replies(chats, Question(text=question.text), run)
        found = "\n".join(f"{check}: {shorten(one.text, 300)}" for check, one in zip(checks, answers, strict=True))
        revise = words["verify_revise"].format(found=found, draft=made[0].text)
        made = replies([chat(question, "think", read=read, before=revise)], question, run)
    return Draft(claims_of(made[0].text), votes_of(made), [*read, *(item for some in hits for item in some)])
