"""Accountability: the tamper-evident chain of everything Osler answered, encrypted and erasable by patient."""

from osler.ledger.chain import Entry, canonical, digest, new_id
from osler.ledger.ledger import Access, Draft, Erased, Ledger
from osler.ledger.verify import Verification

__all__ = ["Access", "Draft", "Entry", "Erased", "Ledger", "Verification", "canonical", "digest", "new_id"]
