"""Check a statement against its evidence without a language model: support, numbers, negation, direction, entities.

The verdict is about the evidence given, never about medical truth. What a paraphrase needs world knowledge for, it
does not know; it is then called unsupported, which is the safe side.
"""

from osler.reasoning.verify.verdict import Verification, denied, verify

__all__ = ["Verification", "denied", "verify"]
