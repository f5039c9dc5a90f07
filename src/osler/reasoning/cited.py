"""A request for statements that cite numbered passages, and what was written in reply.

The JSON schema is a grammar to a local model and allows only passages that were shown, so a citation can't be
invented. It checks no statement.
"""

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from osler.nouns import Evidence
from osler.reasoning.fence import fenced
from osler.reasoning.prompts import prompts
from osler.text import Language

if TYPE_CHECKING:
    from osler.models import Request

TOKENS = 400
STATEMENTS = 4


def cited_request(question: str, evidence: Sequence[Evidence], language: Language, seed: int = 0) -> "Request":
    """Asks for statements that cite the numbered passages."""
    from osler.models import Message, Request

    words = prompts("cited")[language]
    user = words["user"].format(passages=fenced(evidence), question=question.strip())
    return Request(
        messages=[Message("system", words["system"]), Message("user", user)],
        max_tokens=TOKENS,
        json_schema=schema(len(evidence)),
        seed=seed,
    )


def schema(passages: int) -> dict[str, Any]:
    """Statements that cite passages 1 to `passages`."""
    cited = {"type": "array", "items": {"enum": list(range(1, passages + 1))}, "minItems": 1, "maxItems": 3}
    statement = _object({"text": {"type": "string"}, "passages": cited})
    return _object({"statements": {"type": "array", "items": statement, "maxItems": STATEMENTS}})


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}


def parsed(text: str) -> dict[str, Any]:
    """What the model wrote, by the schema; an answer that was cut off keeps its whole statements; {} for rubbish."""
    try:
        found = json.loads(text)
    except ValueError:
        cut = text.rfind("}", 0, text.rfind("}") + 1)
        try:
            found = json.loads(text[: cut + 1] + "]}")
        except ValueError:
            return {}
    return found if isinstance(found, dict) else {}
