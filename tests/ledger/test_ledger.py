"""The ledger keeps what was acknowledged, notices every attack on the chain, and forgets a patient on request."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from osler.errors import InputError, IntegrityError
from osler.ledger import Draft, Erased, Ledger, canonical
from osler.ledger.tables import entries_table, payloads_table
from osler.settings import load_settings
from osler.storage import open_database

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.floats(-9e15, 9e15) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@pytest.fixture
def ledger(home: Path) -> Ledger:
    return Ledger.open(load_settings())


def _attack(statement: sa.Executable) -> None:
    with open_database(load_settings()).begin() as connection:
        connection.execute(statement)


def _filled(ledger: Ledger, n: int = 5) -> list[str]:
    return [ledger.append("consult", {"n": i, "text": "发热 fever"}, subject=f"patient {i % 2}").id for i in range(n)]


def test_payload_comes_back_and_is_not_stored_in_the_clear(ledger: Ledger, home: Path) -> None:
    entry = ledger.append("consult", {"note": "UNMISTAKABLE-NAME", "score": 0.1}, subject="MRN UNMISTAKABLE-ID")
    assert ledger.payload(entry.id) == {"note": "UNMISTAKABLE-NAME", "score": 0.1}
    stored = b"".join(path.read_bytes() for path in home.iterdir() if path.is_file())
    assert b"UNMISTAKABLE" not in stored
    assert ledger.verify().broken is None


@given(JSON)
@settings(max_examples=60, deadline=None)
def test_canonical_form_is_stable(value: object) -> None:
    once = canonical(value)
    assert canonical(json.loads(once)) == once


def test_what_json_cannot_carry_is_refused(ledger: Ledger) -> None:
    with pytest.raises(InputError, match="canonical JSON"):
        ledger.append("consult", {"n": float("nan")})
    assert ledger.verify().entries == 0


def test_changed_entry_is_found(ledger: Ledger) -> None:
    ids = _filled(ledger)
    _attack(sa.update(entries_table).where(entries_table.c.id == ids[2]).values(kind="ask"))
    broken = ledger.verify().broken
    assert broken is not None
    assert (broken.seq, broken.why) == (3, "the entry was changed")


def test_removed_entry_is_found(ledger: Ledger) -> None:
    ids = _filled(ledger)
    _attack(sa.delete(entries_table).where(entries_table.c.id == ids[1]))
    broken = ledger.verify().broken
    assert broken is not None
    assert broken.why == "entry 2 is missing"


def test_reordered_entries_are_found(ledger: Ledger) -> None:
    ids = _filled(ledger)
    for id, seq in ((ids[1], -1), (ids[2], 2), (ids[1], 3)):
        _attack(sa.update(entries_table).where(entries_table.c.id == id).values(seq=seq))
    broken = ledger.verify().broken
    assert broken is not None
    assert broken.seq == 2


def test_cut_tail_is_found_by_the_head(ledger: Ledger) -> None:
    _filled(ledger)
    _attack(sa.delete(entries_table).where(entries_table.c.seq > 3))
    broken = ledger.verify().broken
    assert broken is not None
    assert "tail was cut" in broken.why


def test_exchanged_payloads_are_found(ledger: Ledger) -> None:
    ids = _filled(ledger)
    with open_database(load_settings()).connect() as connection:
        other = connection.execute(sa.select(payloads_table.c.blob).where(payloads_table.c.id == ids[0])).scalar_one()
    _attack(sa.update(payloads_table).where(payloads_table.c.id == ids[2]).values(blob=other))
    broken = ledger.verify().broken
    assert broken is not None
    assert broken.id == ids[2]
    with pytest.raises(IntegrityError):
        ledger.payload(ids[2])


def test_chain_forged_with_another_key_is_found(ledger: Ledger, home: Path) -> None:
    _filled(ledger)
    (home / "keys" / "ledger.ed25519").write_bytes(b"x" * 32)
    (home / "ledger.head").unlink()
    broken = Ledger.open(load_settings()).verify().broken
    assert broken is not None
    assert "signature" in broken.why


def test_erasure_forgets_one_patient_and_keeps_the_chain(ledger: Ledger) -> None:
    ids = _filled(ledger)
    assert ledger.payload(ledger.erase("patient 0", "Li", "asked").id)["entries"] == 3
    with pytest.raises(Erased):
        ledger.payload(ids[0])
    assert ledger.payload(ids[1])["n"] == 1
    result = ledger.verify()
    assert (result.broken, result.erased, result.entries) == (None, 3, 6)
    assert ledger.payload(ledger.erase("patient 0", "Li", "asked").id)["entries"] == 0
    again = ledger.append("consult", {"n": 9}, subject="patient 0")
    assert ledger.payload(again.id) == {"n": 9}


def test_batch_is_all_or_nothing(ledger: Ledger) -> None:
    with pytest.raises(InputError):
        ledger.append_many([Draft("a", {"n": 1}), Draft("a", {"n": 2**60})])
    assert ledger.verify().entries == 0


APPENDER = """
import sys
from osler.ledger import Ledger
from osler.settings import load_settings
ledger = Ledger.open(load_settings())
for i in range(10_000):
    print(ledger.append("consult", {"i": i}, subject=sys.argv[1]).id, flush=True)
"""


def _appender(name: str) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-c", APPENDER, name], stdout=subprocess.PIPE, text=True)


def test_killed_writers_lose_nothing_they_acknowledged(ledger: Ledger) -> None:
    acknowledged: list[str] = []
    for round in range(3):
        writers = [_appender(f"{round}-{i}") for i in range(2)]
        for writer in writers:  # both are writing before either is killed, however busy the machine
            assert writer.stdout is not None
            acknowledged += [writer.stdout.readline().strip() for _ in range(5)]
        time.sleep(0.13 * round)
        for writer in writers:
            writer.send_signal(signal.SIGKILL)
        for writer in writers:
            lines = writer.communicate()[0].splitlines(keepends=True)
            acknowledged += [line.strip() for line in lines if line.endswith("\n")]
    assert len(acknowledged) >= 30
    assert all(acknowledged)
    assert all("i" in ledger.payload(id) for id in acknowledged)
    result = ledger.verify()
    assert result.broken is None
    assert result.entries >= len(acknowledged)
