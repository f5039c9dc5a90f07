"""A request survives the ledger: its parameters come back as they were, the order of a schema's keys too."""

import json

from osler.ledger import canonical
from osler.models import Message, Request


def test_schema_keeps_its_order_through_canonical_json() -> None:
    schema = {"type": "object", "properties": {"text": {"type": "string"}, "passages": {"type": "array"}}}
    asked = Request(messages=[Message("user", "x")], max_tokens=5, json_schema=schema)
    stored = json.loads(canonical(asked.parameters()))
    again = Request(messages=[Message("user", "x")], **stored)
    assert again.json_schema is not None
    assert list(again.json_schema["properties"]) == ["text", "passages"]
    assert again == asked
