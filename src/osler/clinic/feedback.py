"""What reviewers say of statements: right, wrong, or better otherwise. Kept beside the answer, for alignment.

It does not judge who is right.
"""

from collections.abc import Mapping
from typing import Any

from osler.clinic.desk import Desk
from osler.errors import InputError
from osler.ledger.chain import now
from osler.nouns import Feedback, Principal, dump


def statements_of(document: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The statements of a consult, answer or report as the ledger holds it, in the order they are read; of a quiz or
    exam its items, each by its stem."""
    told = document.get("answer", document)
    parts = told.get("sections", [told])
    stems = [{"text": item["stem"], "evidence": item["evidence"]} for part in parts for item in part.get("items", [])]
    return stems or [item for part in parts for item in part.get("statements", [])]


def keep(desk: Desk, said: Mapping[str, Any], who: Principal) -> Feedback:
    """Append feedback to the ledger. Raises InputError for a statement that the answer does not hold."""
    held = desk.ledger.payload(said["trace_id"]).get("output") or {}
    if said["statement"] not in [item["text"] for item in statements_of(held)]:
        raise InputError("the answer has no such statement", where="statement")
    if said["verdict"] == "edited" and not said.get("text"):
        raise InputError("an edited statement needs its new text", where="text")
    made = Feedback(**said, reviewer_role=",".join(who.roles[:1]) or None, time=now())
    desk.ledger.append("feedback", {"feedback": dump(made), "who": who.id}, about=made.trace_id)
    return made
