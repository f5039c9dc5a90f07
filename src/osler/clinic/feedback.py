"""What reviewers say of statements: right, wrong, or better otherwise. Kept beside the answer, for alignment.

It does not judge who is right.
"""

from collections.abc import Mapping
from typing import Any

from osler.clinic.desk import Desk
from osler.errors import InputError
from osler.ledger.chain import now
from osler.nouns import Feedback, Principal, dump


def keep(desk: Desk, said: Mapping[str, Any], who: Principal) -> Feedback:
    """Append feedback to the ledger. Raises InputError for a statement that the answer does not hold."""
    output = desk.ledger.payload(said["trace_id"])["output"]
    stated = [item["text"] for item in output["answer"]["statements"]]
    if said["statement"] not in stated:
        raise InputError("the answer has no such statement", where="statement")
    if said["verdict"] == "edited" and not said.get("text"):
        raise InputError("an edited statement needs its new text", where="text")
    made = Feedback(**said, reviewer_role=",".join(who.roles[:1]) or None, time=now())
    desk.ledger.append("feedback", {"feedback": dump(made), "who": who.id}, about=made.trace_id)
    return made
