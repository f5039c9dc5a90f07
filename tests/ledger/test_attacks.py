"""Attacks by who can write the database, the head beside it, or the home: what `verify` sees, what only an anchor."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from osler.errors import IntegrityError
from osler.ledger import Draft, Ledger
from osler.ledger.chain import GENESIS, LINK_FIELDS, commit, entry_hash
from osler.ledger.heads import read_heads
from osler.ledger.tables import entries_table, payloads_table
from osler.ledger.vault import Vault, keys_table
from osler.models.privileges import Privileges
from osler.settings import load_settings
from osler.storage import open_database


@pytest.fixture
def ledger(home: Path) -> Ledger:
    ledger = Ledger.open(load_settings())
    for n in range(5):
        ledger.append("consult", {"n": n}, subject=f"patient {n % 2}")
    return ledger


def _attack(*statements: sa.Executable) -> None:
    with open_database(load_settings()).begin() as connection:
        for statement in statements:
            connection.execute(statement)


def _why(ledger: Ledger, seq: int) -> str:
    broken = ledger.verify().broken
    assert broken is not None and broken.seq == seq
    return broken.why


def test_a_payload_can_not_pass_for_erased(ledger: Ledger) -> None:
    third = entries_table.c.seq == 3
    id = sa.select(entries_table.c.id).where(third).scalar_subquery()
    mine = payloads_table.c.id == id
    held = sa.select(payloads_table.c.key_id).where(mine).scalar_subquery()
    for hidden in (
        sa.update(payloads_table).where(mine).values(blob=b""),
        sa.update(payloads_table).where(mine).values(key_id="gone"),
    ):
        with open_database(load_settings()).connect() as connection:
            kept = connection.execute(sa.select(payloads_table).where(mine)).one()
        _attack(hidden)
        assert "no erasure in the chain names it" in _why(ledger, 3)
        _attack(sa.update(payloads_table).where(mine).values(**kept._mapping))
        assert ledger.verify().broken is None
    _attack(sa.delete(keys_table).where(keys_table.c.id == held))
    assert "no erasure in the chain names it" in _why(ledger, 1)  # the first of that patient's


def test_an_erasure_excuses_only_what_it_names(ledger: Ledger) -> None:
    ledger.erase("patient 0", "Li", "asked")
    result = ledger.verify()
    assert (result.broken, result.erased) == (None, 3)
    _attack(sa.update(payloads_table).where(payloads_table.c.id == ledger.entries(5)[4].id).values(blob=b""))
    assert "no erasure" in _why(ledger, 2)


def test_an_erasure_itself_can_not_be_hidden(ledger: Ledger) -> None:
    proof = ledger.erase("patient 0", "Li", "asked")
    _attack(sa.update(payloads_table).where(payloads_table.c.id == proof.id).values(blob=b""))
    assert "no erasure" in _why(ledger, 1)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (None, "gone"),
        (b"{", "damaged"),
        (b"[]", "damaged"),
        (b'{"seq": 9, "hash": "ab", "signature": "cd"}', "not signed"),
    ],
)
def test_head_beside_the_database(ledger: Ledger, home: Path, content: bytes | None, why: str) -> None:
    (home / "ledger.head").unlink() if content is None else (home / "ledger.head").write_bytes(content)
    assert why in _why(ledger, 5)
    if content:
        ledger.append("consult", {})  # an append neither fails on it nor mends it
        assert ledger.verify().broken is not None


def test_an_emptied_database_is_seen(ledger: Ledger) -> None:
    _attack(sa.delete(entries_table), sa.delete(payloads_table))
    assert "tail was cut" in _why(ledger, 1)
    ledger.append("consult", {"new": "beginning"})
    assert ledger.verify().broken is not None


def test_rows_that_are_no_entries(ledger: Ledger) -> None:
    _attack(sa.text("UPDATE ledger_entries SET kind = x'00ff' WHERE seq = 4"))
    assert _why(ledger, 4) == "the row is not an entry"


def test_a_cut_batch_and_a_signature_taken_away(ledger: Ledger, home: Path) -> None:
    ledger.append_many([Draft("access", {"n": n}) for n in range(4)])
    assert [bool(entry.signature) for entry in ledger.entries(4)] == [True, False, False, False]
    assert ledger.verify().broken is None
    _attack(sa.delete(entries_table).where(entries_table.c.seq == 9))
    assert "cut off" in _why(ledger, 8)
    _attack(sa.delete(entries_table).where(entries_table.c.seq > 5))
    _attack(sa.update(entries_table).where(entries_table.c.seq == 5).values(signature=""))
    assert ledger.verify().broken is not None


def test_a_chain_made_anew_without_the_key(ledger: Ledger) -> None:
    """All hashes are right, and the signatures of another key."""
    forger, previous, rows = Ed25519PrivateKey.generate(), GENESIS, []
    for entry in reversed(ledger.entries(5)):
        link = dict(zip(LINK_FIELDS, (getattr(entry, name) for name in LINK_FIELDS), strict=True))
        link |= {"previous": previous, "commitment": commit(b"{}", b"salt") if entry.seq == 2 else entry.commitment}
        previous = entry_hash(**link)
        rows.append({**link, "hash": previous, "signature": forger.sign(previous.encode()).hex()})
    _attack(sa.delete(entries_table), sa.insert(entries_table).values(rows))
    assert _why(ledger, 1) == "the signature is not this ledger's"


def test_another_master_key(ledger: Ledger, home: Path) -> None:
    (home / "keys" / "master.key").write_bytes(b"m" * 32)
    assert "key was changed" in _why(Ledger.open(load_settings()), 1)


def test_a_cut_with_its_head_is_seen_by_an_anchor_only(ledger: Ledger, home: Path, tmp_path: Path) -> None:
    anchor = tmp_path / "elsewhere.jsonl"
    ledger.anchor(anchor)
    assert ledger.verify(read_heads(anchor)).anchored == 5
    before = (home / "ledger.head").read_bytes()
    for n in range(2):
        ledger.append("consult", {"later": n})
    ledger.anchor(anchor)
    _attack(sa.delete(entries_table).where(entries_table.c.seq > 5))
    (home / "ledger.head").write_bytes(before)
    assert ledger.verify().broken is None  # a chain alone can't know
    broken = ledger.verify(read_heads(anchor)).broken
    assert broken is not None and "a head kept elsewhere at 7" in broken.why
    for n in range(2):
        ledger.append("consult", {"instead": n})
    broken = ledger.verify(read_heads(anchor)).broken
    assert broken is not None and "another history" in broken.why


def test_another_ledger_in_its_place(ledger: Ledger, home: Path, tmp_path: Path) -> None:
    """The whole home is exchanged, keys and all; it is whole in itself."""
    anchor = tmp_path / "elsewhere.jsonl"
    ledger.anchor(anchor)
    other = load_settings({"home": tmp_path / "other"})
    for n in range(6):
        Ledger.open(other).append("consult", {"n": n})
    open_database(load_settings()).dispose()
    shutil.rmtree(home)
    shutil.copytree(other.home, home)
    swapped = Ledger.open(load_settings())
    assert swapped.verify().broken is None
    broken = swapped.verify(read_heads(anchor)).broken
    assert broken is not None and "another ledger" in broken.why


def test_heads_are_anchored_now_and_then(home: Path, tmp_path: Path) -> None:
    anchor = tmp_path / "elsewhere.jsonl"
    settings = load_settings({"ledger.anchor": str(anchor), "ledger.every": 4})
    ledger = Ledger.open(settings)
    for n in range(9):
        ledger.append("consult", {"n": n})
    ledger.append_many([Draft("consult", {"n": n}) for n in range(9)])
    assert [head.size for head in read_heads(anchor)] == [4, 8, 18]
    anchor.unlink()
    anchor.mkdir()  # elsewhere can't be written: the append holds all the same
    assert ledger.append_many([Draft("consult", {"n": n}) for n in range(4)])[-1].seq == 22
    assert ledger.verify().broken is None


def test_a_new_key_is_signed_by_the_old_and_the_old_is_gone(ledger: Ledger, home: Path) -> None:
    granted = Privileges(load_settings()).grant_provisional("d" * 64, ["answer"], "Li", "trial")
    other = Ledger.open(load_settings())  # as another process would have it
    old = (home / "keys" / "ledger.ed25519").read_bytes()
    for n in range(2):
        ledger.rotate_key("Li", "yearly")
        assert other.append("consult", {"n": n}).key == ledger.vault.key_id
    assert ledger.verify().broken is None and Ledger.open(load_settings()).verify().broken is None
    assert len({entry.key for entry in ledger.entries()}) == 3
    assert old.hex() not in "".join(path.read_bytes().hex() for path in (home / "keys").iterdir())
    assert Privileges(load_settings()).rows == granted
    forger = Ed25519PrivateKey.from_private_bytes(old)  # the old key, stolen, signs no more
    last = ledger.entries(1)[0]
    _attack(
        sa.update(entries_table)
        .where(entries_table.c.seq == last.seq)
        .values(signature=forger.sign(last.hash.encode()).hex())
    )
    assert _why(ledger, last.seq) == "the signature is not this ledger's"


def test_a_damaged_file_of_keys(ledger: Ledger, home: Path) -> None:
    ledger.rotate_key("Li", "yearly")
    (home / "keys" / "ledger.keys.json").write_text("{}")
    with pytest.raises(IntegrityError, match="damaged"):
        Vault(home / "keys")


WRITER = """
import sys
from osler.ledger import Draft, Ledger
from osler.settings import load_settings
ledger = Ledger.open(load_settings())
print(flush=True)
sys.stdin.readline()
for i in range(40):
    if sys.argv[1] == "rotate" and i % 8 == 0:
        ledger.rotate_key("Li", "often")
    ledger.append_many([Draft("consult", {"i": i}, subject="the same") for _ in range(i % 4 + 1)])
"""


def test_processes_write_at_once_while_the_key_changes(ledger: Ledger) -> None:
    command = [sys.executable, "-c", WRITER]
    writers = [
        subprocess.Popen([*command, role], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        for role in ("write", "write", "rotate")
    ]
    for writer in writers:
        assert writer.stdout is not None
        writer.stdout.readline()
    for writer in writers:
        assert writer.stdin is not None
        writer.stdin.write(b"\n")
        writer.stdin.flush()
    for writer in writers:
        assert writer.communicate()[1] == b""
    result = ledger.verify()
    assert result.broken is None
    assert result.entries == 5 + 3 * 100 + 5
    assert json.loads((ledger.vault._file).read_text())["certificates"][-1]["after"] < result.entries
