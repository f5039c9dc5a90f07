"""The Merkle tree follows RFC 6962, and a proof of one entry holds on another machine and nowhere else."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
import rfc8785
from hypothesis import given, settings
from hypothesis import strategies as st

from osler.cli import run as osler
from osler.errors import InputError
from osler.ledger import Draft, Ledger, canonical
from osler.ledger.heads import Proof, check, read_heads, read_proof
from osler.ledger.merkle import Tree, consistency, consistent, includes, leaf, path
from osler.settings import load_settings

# The leaves and the root of the reference tree of Certificate Transparency.
LEAVES = [bytes.fromhex(one) for one in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657")]
LEAVES.append(bytes.fromhex("606162636465666768696a6b6c6d6e6f"))
ROOT = "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"


def test_the_reference_tree() -> None:
    assert Tree(LEAVES).root() == ROOT
    assert Tree().root() == hashlib.sha256().hexdigest()
    assert Tree(LEAVES[:1]).root() == leaf(b"").hex()


@given(st.integers(1, 200), st.data())
@settings(max_examples=120, deadline=None)
def test_paths_and_consistency_hold_for_what_is_so_only(size: int, data: Any) -> None:
    contents = [number.to_bytes(2) for number in range(size)]
    root, index, old = Tree(contents).root(), data.draw(st.integers(0, size - 1)), data.draw(st.integers(1, size))
    steps, grown, old_root = path(contents, index), consistency(contents, old), Tree(contents[:old]).root()
    assert includes(root, size, index, contents[index], steps)
    assert consistent(old_root, old, root, size, grown)
    for other in {index - 1, index + 1, size, -1} - {index}:
        assert not includes(root, size, other, contents[index], steps)
    assert not includes(root, size, index, b"else", steps)
    assert not includes(root, size, index, contents[index], [*steps, root])
    assert not consistent(old_root, old, root, size, [*grown, root])
    assert not consistent(root[::-1], old, root, size, grown)
    assert not consistent(old_root, old, root[::-1], size, grown)
    for proof, wrong in ((steps, includes), (grown, consistent)):
        for at in range(len(proof)):
            changed = [*proof[:at], leaf(proof[at].encode()).hex(), *proof[at + 1 :]]
            shorter = proof[:at] + proof[at + 1 :]
            for bad in (changed, shorter):
                if wrong is includes:
                    assert not includes(root, size, index, contents[index], bad)
                else:
                    assert not consistent(old_root, old, root, size, bad)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.floats(-9e15, 9e15) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(JSON)
@settings(max_examples=300, deadline=None)
def test_the_fast_writer_writes_what_rfc_8785_says(value: object) -> None:
    assert canonical(value) == rfc8785.dumps(value)


def test_deep_and_broken_texts(home: Path) -> None:
    deep: Any = "x"
    for _ in range(300):
        deep = [deep]
    assert canonical(deep) == b"[" * 300 + b'"x"' + b"]" * 300
    for bad in ("\ud800", {"\ud800": 1}, {"a": 2**53}, {1: 2}):
        with pytest.raises(InputError, match="canonical JSON"):
            canonical(bad)


@pytest.fixture
def ledger(home: Path) -> Ledger:
    ledger = Ledger.open(load_settings())
    ledger.append_many([Draft("consult", {"secret": f"SECRET-{n}"}, f"patient {n}") for n in range(6)])
    return ledger


def _id(ledger: Ledger, seq: int) -> str:
    return next(entry.id for entry in ledger.entries(None) if entry.seq == seq)


def test_a_proof_shows_one_entry_and_no_content(ledger: Ledger, tmp_path: Path) -> None:
    proof = ledger.prove(_id(ledger, 3))
    text = proof.model_dump_json()
    assert "SECRET" not in text
    assert not any(entry.id in text for entry in ledger.entries(None) if entry.seq != 3)
    found = check(proof, key=ledger.vault.ring.public)
    assert (found.valid, found.trusted, found.size) == (True, True, 6)
    assert not check(proof).trusted
    opened = ledger.prove(_id(ledger, 3), content=True)
    assert opened.content is not None and opened.content.payload == {"secret": "SECRET-2"}
    assert check(opened).valid


def test_a_proof_goes_on_from_a_kept_head_over_changes_of_key(ledger: Ledger, tmp_path: Path) -> None:
    kept = tmp_path / "heads.jsonl"
    first = ledger.anchor(kept)
    for n in range(2):
        ledger.rotate_key("Li", "yearly")
        ledger.append("consult", {"n": n})
    proof = ledger.prove(_id(ledger, 9), anchor=first)
    assert check(proof, anchor=read_heads(kept)[0]).valid
    assert check(proof, key=first.key).valid
    assert "does not follow" in str(check(proof.model_copy(update={"certificates": []}), key=first.key).why)
    assert "beginning" in str(check(ledger.prove(_id(ledger, 9)), anchor=first).why)
    assert "does not follow" in str(check(proof, key="ab" * 32).why)


def _changed(proof: Proof, *place: str | int, value: Any) -> Proof:
    made: Any = json.loads(proof.model_dump_json())
    inner = made
    for step in place[:-1]:
        inner = inner[step]
    inner[place[-1]] = value
    return Proof.model_validate(made)


@pytest.mark.parametrize(
    ("place", "value", "why"),
    [
        (("entry", "kind"), "ask", "the entry was changed"),
        (("entry", "seq"), 4, "the entry was changed"),
        (("path", 0), "00" * 32, "not under the head"),
        (("path", 0), "no", "not hexadecimal"),
        (("path",), [], "not under the head"),
        (("head", "root"), "00" * 32, "not under the head"),
        (("head", "size"), 1 << 60, "not under the head"),
        (("head", "time"), "2020-01-01", "not signed by the key"),
        (("head", "key"), "00" * 32, "not signed by the key"),
        (("head", "key"), "xy", "not signed by the key"),
        (("consistency",), None, "not the beginning"),
        (("consistency", 0), "00" * 32, "not the beginning"),
        (("content", "payload"), {"secret": "OTHER"}, "not what the entry is committed to"),
        (("content", "salt"), "00", "not what the entry is committed to"),
    ],
)
def test_a_changed_proof_does_not_hold(ledger: Ledger, tmp_path: Path, place: Any, value: Any, why: str) -> None:
    head = ledger.anchor(tmp_path / "heads.jsonl")
    ledger.append("consult", {})
    proof = ledger.prove(_id(ledger, 3), anchor=head, content=True)
    assert check(proof, anchor=head).valid
    found = check(_changed(proof, *place, value=value), anchor=head)
    assert not found.valid and why in str(found.why)


def test_files_that_are_no_proof(ledger: Ledger, tmp_path: Path) -> None:
    bad = tmp_path / "bad"
    for content in ("", "{}", "[1]", '{"what": "else"}', "\x00"):
        bad.write_text(content)
        with pytest.raises(InputError, match="not a ledger's proof"):
            read_proof(bad)
    bad.write_text("{}\n")
    with pytest.raises(InputError, match=r"bad, line 1: not a ledger's head: ledger Field required"):
        read_heads(bad)
    with pytest.raises(InputError, match="can't be read"):
        read_heads(tmp_path / "none")


def test_the_commands(
    ledger: Ledger, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def said(*arguments: str, code: int = 0) -> Any:
        assert osler(["ledger", *arguments, "--json"]) == code
        return json.loads(capsys.readouterr().out)

    heads, file = str(tmp_path / "heads.jsonl"), str(tmp_path / "proof.json")
    key = said("anchor", "--to", heads)["key"]
    said("rotate-key", "--by", "Li", "--reason", "yearly")
    assert osler(["ledger", "prove", _id(ledger, 2), "--anchor", heads, "--to", file]) == 0
    assert said("verify", "--anchor", heads)["anchored"] == 6
    monkeypatch.setenv("OSLER_HOME", str(tmp_path / "elsewhere"))  # another machine: no ledger, no keys
    assert said("check-proof", file, "--key", key)["trusted"]
    assert said("check-proof", file, "--anchor", heads)["valid"]
    assert not said("check-proof", file, "--key", "ab" * 32, code=1)["valid"]
    assert not (tmp_path / "elsewhere").exists()
    assert osler(["ledger", "anchor"]) == 2
    assert osler(["ledger", "anchor", "--to", heads]) == 1  # nothing to sign
    assert "empty" in capsys.readouterr().err
