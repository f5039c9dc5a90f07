"""Mappings and doubtful spans are kept sealed, come back whole, and are gone with the patient's key."""

from pathlib import Path

import pytest
import sqlalchemy as sa

from osler.errors import InputError
from osler.ledger.vault import Vault, keys_table
from osler.privacy.keeping import Keeping
from osler.privacy.spans import Span
from osler.settings import load_settings
from osler.storage import open_database, writing


def _keeping(home: Path) -> tuple[Keeping, Vault]:
    vault = Vault(home / "keys")
    return Keeping(open_database(load_settings({"home": home}, environment={})), vault), vault


def test_mapping_comes_back_and_is_sealed(tmp_path: Path) -> None:
    keeping, _ = _keeping(tmp_path)
    name = keeping.keep_mapping({"[NAME_1]": "Zbigniew Planted"}, "p1")
    assert keeping.mapping(name) == {"[NAME_1]": "Zbigniew Planted"}
    stored = b"".join(path.read_bytes() for path in tmp_path.rglob("osler.db*"))
    assert stored and b"Planted" not in stored


def test_gone_with_the_key(tmp_path: Path) -> None:
    keeping, vault = _keeping(tmp_path)
    name = keeping.keep_mapping({"[NAME_1]": "Zbigniew"}, "p1")
    other = keeping.keep_mapping({"[NAME_1]": "Ann"}, "p2")
    with writing(open_database(load_settings({"home": tmp_path}, environment={}))) as connection:
        connection.execute(sa.delete(keys_table).where(keys_table.c.subject == vault.pseudonym("p1")))
    with pytest.raises(InputError):
        keeping.mapping(name)
    assert keeping.mapping(other) == {"[NAME_1]": "Ann"}


def test_review_queue(tmp_path: Path) -> None:
    keeping, _ = _keeping(tmp_path)
    spans = [
        Span(start=0, end=4, type="NAME", score=0.5),
        Span(start=8, end=11, type="NAME", score=0.99),
        Span(start=5, end=7, type="NAME", score=0.6),
    ]
    keeping.queue("Rose or Ann", spans, "p1")
    waiting = {doubt.text: doubt for doubt in keeping.reviews()}
    assert set(waiting) == {"Rose", "or"} and waiting["Rose"].after == " or Ann"
    keeping.decide(waiting["or"].id, "rejected")
    keeping.decide(waiting["Rose"].id, "confirmed")
    assert keeping.reviews() == [] and keeping.rejected() == ("or",)
    with pytest.raises(InputError):
        keeping.decide(waiting["or"].id, "confirmed")
