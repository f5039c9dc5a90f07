"""After an erasure no file of the home holds the patient any more, and the ledger proves what was destroyed."""

import base64
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from osler.cli import run as osler
from osler.errors import InputError, MissingComponent
from osler.knowledge.library import open_library
from osler.ledger import Erased, Ledger
from osler.ledger.tables import entries_table, payloads_table
from osler.ledger.vault import keys_table
from osler.settings import Settings, load_settings
from osler.storage import Forgetting, Jobs, open_database
from osler.trust.erasure import erase, expire, held

MRN, NAME, WORD = "QX-7781-Z", "Zebulon Quark", "zyzzogeton"
NOTE = f"MRN: {MRN}\nName: {NAME}\n\nA 54-year-old with {WORD} and fever."


@pytest.fixture
def settings(home: Path, tmp_path: Path) -> Settings:
    settings = load_settings({"models.embedder": "none", "retention.days": 30})
    ledger = Ledger.open(settings)
    given = {"name": "note.txt", "kind": None, "base64": base64.b64encode(NOTE.encode()).decode()}
    ledger.append("consult", {"input": given, "trace": {}, "output": {"about": NOTE}}, MRN, id="c-1")
    ledger.append("feedback", {"text": f"{NAME} has no fever"}, about="c-1")
    ledger.append("consult", {"input": {}, "output": "another's"}, "MRN-OTHER", id="c-2")
    documents = tmp_path / "documents"
    documents.mkdir()
    (documents / "letter.txt").write_text(NOTE, encoding="utf-8")
    (documents / f"{MRN}.txt").write_text(f"Zebulon\nQuark, {WORD}, was seen.", encoding="utf-8")
    (documents / "fever.txt").write_text("Fever is a raised temperature.", encoding="utf-8")
    open_library("ward", settings, create=True).add([documents])
    (documents / "letter.txt").write_text(NOTE + " He is well.", encoding="utf-8")  # an old version stays in the table
    open_library("ward", settings).add([documents])
    Jobs(open_database(settings)).start("ingest", "ward", {"paths": [f"/ward/{MRN}.txt", "/ward/夸克.txt"]}).finish()
    for folder, row in (("calls", {"reply": {"text": f"So\n{MRN}"}}), ("answers", {"item": "1", "output": NAME})):
        path = home / "bench" / folder / "kept.jsonl"
        path.parent.mkdir(parents=True)
        lines = [json.dumps(one, ensure_ascii=False) for one in (row, {"key": "k", "reply": "fever"})]
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return settings


def _grep(home: Path, *needles: bytes) -> set[str]:
    files = [path for path in home.rglob("*") if path.is_file()]
    return {
        f"{path.relative_to(home)}: {needle!r}"
        for path in files
        for needle in needles
        if needle.lower() in path.read_bytes().lower()
    }


def _secrets(settings: Settings) -> list[bytes]:
    """What would open the patient's payloads, and the payloads: as they lie in the database."""
    with open_database(settings).connect() as connection:
        held = sa.select(payloads_table.c.key_id).where(payloads_table.c.id == "c-1").scalar_subquery()
        blobs = connection.execute(sa.select(payloads_table.c.blob).where(payloads_table.c.key_id == held)).scalars()
        wrapped = connection.execute(sa.select(keys_table.c.wrapped).where(keys_table.c.id == held)).scalars()
        return [content[:64] for content in (*blobs, *wrapped)]


def test_nothing_is_left(settings: Settings, home: Path) -> None:
    planted = [MRN.encode(), b"zebulon", b"quark", WORD.encode(), "夸克".encode(), rb"\u5938\u514b"]
    secrets = _secrets(settings)
    assert len(secrets) == 3
    assert len(_grep(home, *planted, *secrets)) > 5
    found = held(MRN, settings, (NAME, "夸克"))
    assert {room: len(what) for room, what in found.items()} == {"ledger": 2, "jobs": 1, "bench": 2, "libraries": 2}
    entry = erase(MRN, settings, "Li", "asked", (NAME, "夸克"))
    assert _grep(home, *planted, *secrets) == set()
    assert held(MRN, settings, (NAME,)) == {"ledger": []}
    # what is left: hashes, the others' data, and a proof that names what was destroyed
    ledger = Ledger.open(settings)
    proof = ledger.payload(entry.id)
    assert proof["destroyed"][0]["id"] == "c-1" and len(proof["destroyed"]) == 2
    assert proof["destroyed"][0]["commitment"] == ledger.entry("c-1").commitment
    assert {room: len(what) for room, what in proof["elsewhere"].items()} == {"jobs": 1, "bench": 2, "libraries": 2}
    assert (ledger.verify().broken, ledger.verify().erased) == (None, 2)
    assert ledger.payload("c-2")["output"] == "another's"
    assert [hit.source.title for hit in open_library("ward", settings).search("fever")] == ["fever"]
    assert len((home / "bench" / "calls" / "kept.jsonl").read_text().splitlines()) == 1


@pytest.mark.parametrize(
    ("name", "held_in"),
    [("王芳", True), ("P1", True), ("A-7", True), ("Li", False), ("12", False), ("王", False)],
)
def test_short_names_that_tell_are_searched_for(name: str, held_in: bool, home: Path) -> None:
    settings = load_settings({"models.embedder": "none"})
    Jobs(open_database(settings)).start("ingest", "ward", {"paths": [f"/ward/{name}.txt"]}).finish()
    assert ("jobs" in held("another", settings, (name,))) is held_in


def test_the_proof_does_not_name_the_patient(settings: Settings) -> None:
    entry = erase(MRN, settings, "Li", "asked", (NAME,))
    said = json.dumps(Ledger.open(settings).payload(entry.id))
    assert MRN not in said and NAME not in said


def test_what_is_old_is_destroyed_and_what_accounts_for_it_stays(settings: Settings, home: Path) -> None:
    ledger = Ledger.open(settings)
    assert ledger.payload(expire(settings, "Li", "policy").id)["entries"] == 0
    old = (datetime.now(UTC) - timedelta(days=31)).isoformat(timespec="milliseconds")
    # an entry of old can't be made: the chain would tell. So the time of the retention is moved instead.
    later = ledger.expire((datetime.now(UTC) + timedelta(days=1)).isoformat(), ("retention", "erasure"), "Li", "policy")
    assert ledger.payload(later.id)["entries"] == 3
    with pytest.raises(Erased):
        ledger.payload("c-2")
    assert ledger.verify().broken is None and ledger.verify().erased == 3
    again = ledger.append("consult", {"n": 1}, MRN)
    assert ledger.payload(again.id) == {"n": 1}
    with open_database(settings).begin() as connection:
        connection.execute(sa.update(entries_table).where(entries_table.c.id == again.id).values(time=old))
    assert ledger.verify().broken is not None
    with pytest.raises(InputError, match="no retention period"):
        expire(load_settings(), "Li", "policy")


def test_names_are_found_as_whole_words_in_any_writing() -> None:
    who = Forgetting(("MRN 12345", "张三", "#7-a"))
    for text in ("mrn  12345.", r'{"a": "x\nMRN\n12345"}', "患者张三，男", json.dumps("张三"), "no#7-A"):
        assert who.concerns(text)
    for text in ("MRN 123456", "XMRN 12345", "张 三 四", "7-a", "#7-ab"):
        assert not who.concerns(text)
    assert not Forgetting(()).concerns("anything")


def test_a_reader_in_the_way_is_told_and_the_same_call_finishes(settings: Settings, home: Path) -> None:
    secrets = _secrets(settings)
    with open_database(settings).connect() as reader:
        reader.exec_driver_sql("PRAGMA busy_timeout=50")
        reader.execute(sa.select(entries_table)).fetchall()
        with pytest.raises(MissingComponent, match="another process is using it"):
            erase(MRN, settings, "Li", "asked")
    erase(MRN, settings, "Li", "asked")
    assert _grep(home, *secrets) == set()


def test_the_commands(settings: Settings, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def said(*arguments: str, code: int = 0) -> Any:
        assert osler(["ledger", *arguments, "--json"]) == code
        return json.loads(capsys.readouterr().out) if code == 0 else capsys.readouterr().err

    assert len(said("held", MRN, "--also", NAME)["libraries"]) == 2
    made = said("erase", MRN, "--also", NAME, "--by", "Li", "--reason", "asked")
    assert (made["erased"], len(made["destroyed"])) == (2, 2)
    assert said("verify")["erased"] == 2
    assert "no retention period" in said("expire", "--by", "Li", "--reason", "policy", code=1)
