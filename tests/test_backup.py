import tarfile

import pytest

from osler.backup import back_up, restore
from osler.clinic.desk import Desk
from osler.errors import InputError, IntegrityError
from osler.ledger import Ledger
from osler.settings import load_settings
from osler.trust.replay import replay


def test_a_home_comes_back_whole_and_its_answers_replay(tmp_path):
    settings = load_settings({"home": str(tmp_path / "home")})
    made = Desk(settings).consult(b"A tall man with lens dislocation.", "note").consult
    target = tmp_path / "home.backup"
    told = back_up(settings, target)
    assert told.files > 3 and (target.stat().st_mode & 0o777) == 0o600
    other = load_settings({"home": str(tmp_path / "other")})
    assert restore(target, other.home).files == told.files
    ledger = Ledger.open(other)
    assert ledger.verify().broken is None
    assert ledger.payload(made.trace_id)["output"]["trace_id"] == made.trace_id
    assert replay(made.trace_id, other).same
    with pytest.raises(InputError, match="not empty"):
        restore(target, other.home)
    with pytest.raises(InputError, match="of this name"):
        back_up(settings, target)


def test_a_damaged_backup_leaves_nothing(tmp_path):
    settings = load_settings({"home": str(tmp_path / "home")})
    Ledger.open(settings).append("note", {"a": 1})
    back_up(settings, tmp_path / "b")
    content = (tmp_path / "b").read_bytes()
    (tmp_path / "cut").write_bytes(content[: len(content) // 2])
    (tmp_path / "none").write_bytes(b"nothing")
    with tarfile.open(tmp_path / "b") as archive:
        archive.extractall(tmp_path / "x", filter="data")
    (tmp_path / "x" / "ledger.head").write_text("{}")
    with tarfile.open(tmp_path / "changed", "w:gz") as archive:
        for path in sorted((tmp_path / "x").rglob("*")):
            archive.add(path, path.relative_to(tmp_path / "x").as_posix(), recursive=False)
    for name, fault in (("cut", InputError), ("none", InputError), ("absent", InputError), ("changed", IntegrityError)):
        with pytest.raises(fault):
            restore(tmp_path / name, tmp_path / "new")
        assert not (tmp_path / "new").exists() and not list(tmp_path.glob(".restoring-*"))
