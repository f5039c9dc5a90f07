"""Packages that Anki opens, and Anki's packages in all their forms read; hostile ones refused."""

import io
import json
import sqlite3
import zipfile

import pytest

from osler.education.cards import CardDraft, Deck
from osler.education.cards import anki as packages
from osler.education.cards.anki import read_apkg, write_apkg
from osler.education.cards.deck import media_folder
from osler.errors import InputError
from osler.settings import load_settings

pytest.importorskip("anki", reason="the anki package can't be installed here (its wheel may need a newer glibc)")
PNG = bytes.fromhex("89504e470d0a1a0a0000000d49484452")


@pytest.fixture
def settings(tmp_path):
    return load_settings({"home": str(tmp_path / "home")})


@pytest.fixture
def collection(tmp_path):
    from anki.collection import Collection

    opened = Collection(str(tmp_path / "own.anki2"))
    yield opened
    opened.close()


def draft(front="Which <b> & of 1 < 2?", back='B  one\nwhy "so"', topic="asthma", **more):
    return CardDraft(front=front, back=back, kind="item", topic=topic, **more)


def brought_in(collection, path):
    from anki.collection import ImportAnkiPackageOptions, ImportAnkiPackageRequest

    collection.import_anki_package(
        ImportAnkiPackageRequest(package_path=str(path), options=ImportAnkiPackageOptions(with_scheduling=False))
    )
    return [collection.get_note(id) for id in collection.find_notes("")]


def taken_out(collection, path, legacy):
    from anki.collection import ExportAnkiPackageOptions

    options = ExportAnkiPackageOptions(with_scheduling=True, with_deck_configs=False, with_media=True, legacy=legacy)
    collection.export_anki_package(out_path=str(path), options=options, limit=None)
    return path


def test_anki_opens_what_is_written(settings, collection, tmp_path):
    folder = media_folder(settings)
    folder.mkdir(parents=True)
    (folder / "0a.png").write_bytes(PNG)
    cards = [
        draft(tags=["apply", "very easy"]),
        draft("贫血最常见的病因是什么？", "缺铁。\n[世界卫生组织, 2024]", "贫血", language="zh"),
        draft("See [image: x ray.png] and [image: none.png]", media={"x ray.png": "0a.png"}),
    ]
    path = tmp_path / "out.apkg"
    path.write_bytes(write_apkg(cards, "Osler", settings))
    notes = {note.fields[0]: note for note in brought_in(collection, path)}
    assert len(notes) == 3 == collection.card_count()
    first = notes["Which &lt;b&gt; &amp; of 1 &lt; 2?"]
    assert first.fields[1] == 'B  one<br>why "so"'
    assert set(first.tags) == {"apply", "very_easy", "item"}
    assert notes["贫血最常见的病因是什么？"].fields[1] == "缺铁。<br>[世界卫生组织, 2024]"
    assert 'See <img src="0a.png"> and [image: none.png]' in notes
    assert {"Osler::asthma", "Osler::贫血"} <= {deck.name for deck in collection.decks.all_names_and_ids()}
    assert (tmp_path / "own.media" / "0a.png").read_bytes() == PNG
    again = tmp_path / "again.apkg"
    again.write_bytes(write_apkg(cards, "Osler", settings))
    assert len(brought_in(collection, again)) == 3, "the same cards are the same notes"


@pytest.mark.parametrize("legacy", [True, False], ids=["anki21", "anki21b"])
def test_what_anki_writes_is_read(settings, collection, tmp_path, legacy):
    picture = tmp_path / "Röntgen 1.png"
    picture.write_bytes(PNG)
    name = collection.media.add_file(str(picture))
    deck = collection.decks.id("Medicine::Airways")
    basic, cloze = collection.models.by_name("Basic"), collection.models.by_name("Cloze")
    for front, back in (
        (f'Seen &lt;here&gt;:<div><img src="{name}"></div>', "<ul><li>one</li><li>two &amp; 三</li></ul>"),
        ("哮喘的首选药？<script>alert(1)</script>", "吸入激素<br>"),
    ):
        note = collection.new_note(basic)
        note["Front"], note["Back"], note.tags = front, back, ["lung", "a::b"]
        collection.add_note(note, deck)
    note = collection.new_note(cloze)
    note["Text"] = "{{c1::Iron}} lack is common in {{c2::anaemia::a disease}}"
    collection.add_note(note, deck)
    path = taken_out(collection, tmp_path / "in.apkg", legacy)
    with zipfile.ZipFile(path) as package:
        assert ("collection.anki21b" in package.namelist()) != legacy
    found = read_apkg(path, settings)
    assert (found.notes, found.media, found.left_out) == (3, 1, [])
    first, second, iron, anaemia = found.cards
    assert first.front == f"Seen <here>:\n[image: {name}]" and first.back == "one\ntwo & 三"
    assert first.tags == ["lung", "a::b"] or set(first.tags) == {"lung", "a::b"}
    assert first.topic == "Medicine::Airways"
    assert (media_folder(settings) / first.media[name]).read_bytes() == PNG
    assert (second.front, second.back, second.language) == ("哮喘的首选药？", "吸入激素", "zh")
    assert iron.front == "[…] lack is common in anaemia" and anaemia.front == "Iron lack is common in [a disease]"
    assert iron.back == "Iron lack is common in anaemia"
    out = tmp_path / "out.apkg"
    out.write_bytes(write_apkg(Deck(settings, "ana").add(found.cards), "Osler", settings))
    back = read_apkg(out, settings)
    assert sorted(card.back for card in back.cards) == sorted(card.back for card in found.cards)
    assert back.media == 1


def package(path, database=None, media=None, files=(), main="collection.anki2"):
    """A package as a stranger may make it."""
    if database is None:
        made = sqlite3.connect(":memory:")
        made.executescript(
            "CREATE TABLE col (decks TEXT); CREATE TABLE cards (nid, did);"
            "CREATE TABLE notes (id, flds TEXT, tags TEXT);"
        )
        made.execute("INSERT INTO col VALUES (?)", (json.dumps({"1": {"name": "D"}}),))
        made.execute("INSERT INTO notes VALUES (1, ?, ' a ')", ('<img src="../../up.png">\x1fback',))
        made.execute("INSERT INTO notes VALUES (2, ?, '')", ('<img src="page.html"><img src="gone.png">\x1fback',))
        made.execute("INSERT INTO notes VALUES (3, 'only front\x1f', '')")
        database = made.serialize()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as target:
        target.writestr(main, database)
        target.writestr("media", json.dumps(media or {}))
        for name, content in files:
            target.writestr(name, content)
    return path


def test_no_name_of_a_package_becomes_a_path(settings, tmp_path):
    media = {"0": "../../up.png", "1": "page.html"}
    path = package(tmp_path / "p.apkg", media=media, files=[("0", PNG), ("1", "<script>"), ("../evil.png", PNG)])
    found = read_apkg(path, settings)
    assert len(found.cards) == 2 and found.media == 1
    assert found.left_out == ["page.html: a kind of file that is not taken", "gone.png: not in the package",
                              "note 3: no back"]  # fmt: skip
    written = [one.relative_to(tmp_path).parts for one in tmp_path.rglob("*.png")]
    assert len(written) == 1 and written[0][:2] == ("home", "cards") and "up" not in written[0][2]


def test_bombs_and_broken_packages_are_refused(settings, tmp_path, monkeypatch):
    monkeypatch.setattr(packages, "MOST_BYTES", 1 << 20)
    for main in ("collection.anki2", "collection.anki21b"):
        content = bytes(8 << 20)
        if main.endswith("b"):
            import pyarrow as pa

            content = pa.Codec("zstd").compress(content, asbytes=True)
            assert len(content) < 1 << 16
        with pytest.raises(InputError, match="larger than"):
            read_apkg(package(tmp_path / "bomb.apkg", content, main=main), settings)
    endless = sqlite3.connect(":memory:")
    endless.executescript(
        "CREATE TABLE col (decks TEXT); CREATE TABLE cards (nid, did); CREATE VIEW notes AS"
        " WITH RECURSIVE n(id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM n) SELECT id, 'a' AS flds, '' AS tags FROM n;"
    )
    for content in (b"", b"SQLite format 3\x00" + bytes(80), b"text", endless.serialize()):
        with pytest.raises(InputError, match="can't be read"):
            read_apkg(package(tmp_path / "broken.apkg", content), settings)
    whole = package(tmp_path / "whole.apkg").read_bytes()
    for cut in range(0, len(whole), 97):
        (tmp_path / "cut.apkg").write_bytes(whole[:cut])
        with pytest.raises(InputError):
            read_apkg(tmp_path / "cut.apkg", settings)
    other = io.BytesIO()
    with zipfile.ZipFile(other, "w") as target:
        target.writestr("readme.txt", "no deck")
    (tmp_path / "other.apkg").write_bytes(other.getvalue())
    with pytest.raises(InputError, match="no collection"):
        read_apkg(tmp_path / "other.apkg", settings)
    assert not media_folder(settings).exists()
