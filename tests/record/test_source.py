"""Reading bytes: limits, encodings, kinds, and clear errors for what is no record."""

import gzip
import json
import subprocess
import sys
from pathlib import Path

import pytest

from osler.errors import InputError
from osler.record import read, read_text, source

CHINESE = "患者，男，45岁，因发热三天入院。查体：体温39℃，咽部充血，双肺呼吸音粗。"


def message(data: bytes | str | Path) -> str:
    with pytest.raises(InputError) as caught:
        read(data, name=None if isinstance(data, Path) else "in.txt")
    return str(caught.value)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32", "gb18030"])
def test_chinese_in_every_encoding(encoding: str) -> None:
    case = read(CHINESE.encode(encoding))
    assert case.documents[0].text == CHINESE and case.language == "zh"
    assert (case.patient.age, case.patient.sex) == ("P45Y", "male")


def test_latin_1_is_not_taken_for_chinese() -> None:
    assert "byte 0xe9 at offset 3" in message("Café au lait spots, naïve patient, œdème".encode("cp1252"))
    assert "offset 4" in message(b"mild\xff fever")


def test_broken_utf_16_names_the_byte() -> None:
    assert "UTF-16" in message(b"\xff\xfea\x00b")


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "empty"),
        (b" \n\t ", "empty"),
        (b"\xef\xbb\xbf \n", "empty"),
        (b"%PDF-1.7 ...", "PDF"),
        (b"PK\x03\x04rest", "ZIP"),
        (b"{\\rtf1 text}", "RTF"),
        (b"\x7fELF\x00\x01\x02", "binary"),
        (b"note with a \x00 byte", "0x00 at offset 12"),
        (b'<?xml version="1.0"?><Bundle/>', "XML"),
        (b'<Patient xmlns="http://hl7.org/fhir"/>', "XML"),
        (b'{"resourceType": "Bundle", "entry": [', "line 1, column"),
        (b'{\n "resourceType": "Patient",\n "id": }', "line 3, column"),
        (b'{"resourceType":"Patient"}\n{"resourceType": oops}', "line 2, column 18"),
        (b'{"name": "x", "weight": 3}', "neither FHIR nor a phenopacket"),
        (b"[" * 50_000, "malformed JSON|nested too deeply"),
        (b'{"resourceType":"Bundle","entry":' + b"[" * 50_000, "malformed JSON|nested too deeply"),
        (b'{"resourceType":"Patient","id":"\\ud800"}', "malformed JSON"),
        (b"[1, 2]", "."),
    ],
)
def test_what_is_no_record_says_why_and_where(data: bytes, says: str) -> None:
    import re

    text = message(data) if data != b"[1, 2]" else "note"
    assert re.search(says, text), text
    assert text.startswith("in.txt") or data == b"[1, 2]"


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    assert str(tmp_path / "none.json") in message(tmp_path / "none.json")
    assert str(tmp_path) in message(tmp_path)
    assert "NUL" in message(Path("a\0b")) or "null" in message(Path("a\0b"))


def test_gzip_is_unpacked_and_bombs_and_cuts_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    packed = gzip.compress(CHINESE.encode())
    assert read(packed).digest == read(CHINESE.encode()).digest
    assert "damaged or cut off" in message(packed[:-9])
    assert "damaged or cut off" in message(b"\x1f\x8b not gzip")
    monkeypatch.setattr(source, "JSON_LIMIT", 1_000_000)
    assert "larger than" in message(gzip.compress(b" " * 2_000_000))


def test_no_more_of_an_oversized_file_is_read_than_the_limit(tmp_path: Path) -> None:
    # Sparse files: 200 MB and 60 MB in name only.
    big, note, record = tmp_path / "big.json", tmp_path / "note.txt", tmp_path / "big2.json"
    for file, start, size in ((big, b"{", 200_000_000), (note, b"A note", 60_000_000), (record, b'{"a":', 60_000_000)):
        with open(file, "wb") as stream:
            stream.write(start)
            stream.truncate(size)
    assert "larger than the 100 MB" in message(big)
    assert "larger than the 50 MB" in message(note)
    assert "malformed JSON at line 1, column 6" in message(record)


def test_kinds_are_found_by_content() -> None:
    assert read_text("A note about nothing.").kind == "note"
    assert read_text("[doctor] hi\n[patient] hello").kind == "dialogue"
    assert read_text(json.dumps({"resourceType": "Patient"})).kind == "fhir"
    assert read_text('{"subject": {"id": "a"}}').kind == "phenopacket"
    assert read_text('{"phenotypic_features": []}').kind == "phenopacket"
    assert read_text('{"resourceType": "Patient"}', kind="note").kind == "note"
    assert read_text("[**2118-3-4**] Admitted with fever.").kind == "note"
    for kind in ("fhir", "phenopacket"):
        with pytest.raises(InputError, match="is text"):
            read_text("A note", kind=kind)
    with pytest.raises(InputError, match="no speaker"):
        read_text("A note", kind="dialogue")


def test_importing_the_room_imports_no_reader() -> None:
    code = "import sys, osler.record as r; print(sorted(m for m in sys.modules if m.startswith('osler.record.')))"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert shown.strip() == str(["osler.record.case", "osler.record.source"])
