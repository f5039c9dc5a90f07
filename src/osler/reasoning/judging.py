"""The verdict on a statement: by rules, and by a model where one has the privilege for it.

What a rule decides with a reason (word for word, another number, side or negation) no model overrules.
"""

from collections.abc import Sequence

from osler.models import Message
from osler.nouns import Evidence, Verdict
from osler.reasoning.asking import likely
from osler.reasoning.fence import fenced
from osler.reasoning.privilege import withheld
from osler.reasoning.prompts import prompts
from osler.reasoning.resources import Run
from osler.reasoning.verify import verify
from osler.text import language_of

PRIVILEGE = "verify"
LABELS: dict[str, Verdict] = {"A": "supported", "B": "unsupported", "C": "contradicted"}


def judge(statement: str, evidence: Sequence[Evidence], run: Run) -> Verdict:
    """Whether evidence supports a statement. In the bench rules alone decide, or a figure would depend on a sheet."""
    found = verify(statement, evidence)
    if found.certain or not evidence or run.kind == "bench" or withheld(PRIVILEGE, language_of(statement), run):
        return found.verdict
    shares = likely(question(statement, evidence), list(LABELS), run)
    return LABELS[max(shares, key=shares.__getitem__)]


def question(statement: str, evidence: Sequence[Evidence]) -> list[Message]:
    """What a model is asked."""
    words = prompts("verify")[language_of(statement)]
    asked = words["ask"].format(passages=fenced(evidence), statement=statement)
    return [Message("system", words["system"]), Message("user", asked)]
