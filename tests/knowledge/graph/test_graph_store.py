"""Packs: what goes in comes out, the same content gives the same bytes, damage is noticed."""

from pathlib import Path

import numpy as np
import pytest

from osler.errors import IntegrityError, MissingComponent
from osler.knowledge.graph.store import Pack, write_pack

ARRAYS = {"a": np.array([1, 5, 9], dtype=np.uint16), "b": np.array([0.5], dtype=np.float32)}
STRINGS = {"words": ["one", "", "三"], "none": []}


def test_round_trip(tmp_path: Path) -> None:
    write_pack(tmp_path / "p.pack", {"k": 1}, ARRAYS, STRINGS)
    pack = Pack(tmp_path / "p.pack")
    assert pack.header == {"k": 1}
    assert pack.array("a").tolist() == [1, 5, 9] and pack.array("a").dtype == np.uint16
    assert pack.strings("words") == ["one", "", "三"] and pack.strings("none") == []
    assert [f.name for f in tmp_path.iterdir()] == ["p.pack"]


def test_same_content_same_bytes(tmp_path: Path) -> None:
    for name in ("x", "y"):
        write_pack(tmp_path / name, {"k": 1}, ARRAYS, STRINGS)
    assert (tmp_path / "x").read_bytes() == (tmp_path / "y").read_bytes()


def test_line_breaks_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="line break"):
        write_pack(tmp_path / "p", {}, {}, {"words": ["a\nb"]})


def test_damage_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "p.pack"
    with pytest.raises(MissingComponent):
        Pack(path)
    path.write_bytes(b"")
    with pytest.raises(MissingComponent):
        Pack(path)
    path.write_bytes(b"not a pack at all")
    with pytest.raises(IntegrityError):
        Pack(path)
    write_pack(path, {}, {"a": np.arange(5000)}, {})
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(IntegrityError, match="section a"):
        Pack(path).array("a")
