"""The set of interactions: its form, sets that users bring, and the sentences on the drugs that a text names."""

import csv
from pathlib import Path

import pytest

import osler
from osler.errors import InputError
from osler.knowledge.drugs import interaction_sentences, tables
from osler.knowledge.drugs.interactions import SEVERITIES, check, load_interactions
from osler.knowledge.drugs.names import load_classes, load_names
from osler.knowledge.sources import Sources
from osler.settings import Settings, load_settings

COLUMNS = "a,b,severity,mechanism,management,source"


def test_the_starter_set_is_well_formed() -> None:
    rows = tables.shipped("osler.knowledge.drugs", "interactions.csv")
    assert len(rows) >= 100
    classes = load_classes()
    seen: dict[frozenset[str], str] = {}
    for row in rows:
        values = row.values
        assert values["severity"] in SEVERITIES and all(values.values()), row.where
        assert 1990 <= int(values["year"]) <= 2026 and "http" not in values["source"], row.where
        for side in (values["a"], values["b"]):
            assert (
                side.removeprefix("class:") in classes.members if side.startswith("class:") else load_names().of(side)
            ), row.where
        pair = frozenset((values["a"], values["b"]))
        assert seen.setdefault(pair, row.where) == row.where, f"{row.where} repeats {seen[pair]}"
    assert load_interactions().skipped == ()
    assert len(classes.members) >= 60 and all(len(members) >= 1 for members in classes.members.values())


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (f"{COLUMNS}\nAspirin,Warfarin,deadly,m,n,s\n", r"bad\.csv:2.*severity"),
        (f"{COLUMNS}\nAspirin,class:nothing,major,m,n,s\n", r"bad\.csv:2.*class"),
        (f"{COLUMNS}\nAspirin,Warfarin,major,m,n,\n", r"bad\.csv:2.*source"),
        (f"{COLUMNS}\nAspirin,Warfarin\n", r"bad\.csv:2.*fields"),
        ("a,b\nAspirin,Warfarin\n", r"bad\.csv:1.*missing"),
    ],
)
def test_bad_rows_name_file_and_line(tmp_path: Path, content: str, message: str) -> None:
    file = tmp_path / "bad.csv"
    file.write_text(content, encoding="utf-8")
    with pytest.raises(InputError, match=message):
        check([file])


def test_the_tables_hold_no_stray_column() -> None:
    files = list(Path(osler.__file__).parent.rglob("*/data/*.csv"))
    assert len(files) >= 4
    for file in files:
        with file.open(encoding="utf-8", newline="") as lines:
            reader = csv.reader(lines)
            width = len(next(reader))
            assert all(len(row) == width for row in reader), file.name


def told(text: str, home: Path = Path("unused")) -> list[str]:
    """The sentences on a text; each has its own id and a source."""
    found = interaction_sentences(text, Settings(home=home))
    assert len({item.id for item in found}) == len(found)
    assert all(item.kind == "edge" and item.source and item.source.title for item in found)
    return [item.text for item in found]


def test_each_interaction_of_a_text_is_one_sentence_the_most_severe_first() -> None:
    said = told("72F on Coumadin, ibuprofen and clarithromycin; may we add simvastatin?")
    places = [
        next(n for n, s in enumerate(said) if s.startswith(pair))
        for pair in (
            "Clarithromycin with Simvastatin: contraindicated. ",
            "Warfarin with Ibuprofen: major interaction. ",
        )
    ]
    assert places == sorted(places)
    ibuprofen = said[places[1]]
    assert "Avoid; if needed shortest course with a PPI" in ibuprofen and "Source: FDA label warfarin" in ibuprofen
    assert ibuprofen.endswith(".") and ".." not in ibuprofen


def test_a_class_row_gives_a_sentence_for_each_of_its_pairs() -> None:
    said = told("sumatriptan, rizatriptan, zolmitriptan")
    assert sum(": contraindicated." in sentence for sentence in said) == 3


@pytest.mark.parametrize(
    "text", ["华法林和布洛芬能一起吃吗？", "华法林、布洛芬", "患者长期服用华法林，今日加用布洛芬缓释胶囊。"]
)
def test_chinese_names(text: str) -> None:
    (said,) = told(text)
    assert said.startswith("华法林与布洛芬：严重相互作用。机制：") and "来源：FDA label warfarin" in said


def test_a_class_stands_for_its_drugs() -> None:
    (said,) = told("May he take NSAIDs with apixaban?")
    assert said.endswith("Additive bleeding. Avoid; shortest course. Source: FDA label apixaban section 7.")
    assert "nonsteroidal" in said.lower() or "NSAID" in said
    assert not any(": " in sentence.split(".")[0] for sentence in told("Is ibuprofen an NSAID?"))


def test_every_class_that_words_name_is_one_of_the_table() -> None:
    words = tables.toml("osler.knowledge.drugs", "class_words.toml")["classes"]
    assert set(words) <= set(load_classes().members)


def test_drugs_and_pairs_without_data_are_named_and_not_called_safe() -> None:
    (said,) = told("Is metformin fine with warfarin and mupirocin?")
    assert said == "No set has an entry on Mupirocin, Metformin with Warfarin; no data is not safe."
    (said,) = told("二甲双胍、华法林")
    assert said == "没有数据：二甲双胍与华法林；没有数据不等于安全。"


@pytest.mark.parametrize(
    ("text", "unknown"),
    [
        ("warfarin, foobarium and ibuprofen", "foobarium"),
        ("warfarin + blah 5 mg", "blah 5 mg"),
        ("华法林、甲乙丙片", "甲乙丙片"),
        ("foobarium; quuxomab", "foobarium, quuxomab"),
        ("The patient, who is 72, asks whether warfarin can be taken with ibuprofen.", None),
    ],
)
def test_names_of_a_list_that_are_no_known_drug(text: str, unknown: str | None) -> None:
    said = [sentence for sentence in told(text) if "not checked: " in sentence or "未核查：" in sentence]
    assert [unknown in sentence for sentence in said] == ([True] if unknown else [])


def test_one_drug_or_none_leaves_nothing_checked() -> None:
    assert told("Tylenol") == [
        "Only one known drug is named, Acetaminophen, so there was no pair to check; no data is not safe."
    ]
    for text in ("", "Which rash is that?"):
        assert told(text) == ["No drug that is known here is named, so nothing was checked; no data is not safe."]
    assert told("皮疹的原因是什么？") == ["没有提到已知药物，未作核查；没有数据不等于安全。"]


def test_an_approved_set_speaks_too(tmp_path: Path) -> None:
    table, home = tmp_path / "set.csv", tmp_path / "home"
    table.write_text(f"{COLUMNS}\nLoratadine,Mupirocin,minor,A test effect,Watch,Own set\n", encoding="utf-8")
    sources = Sources(load_settings({"home": home}, environment={}))
    sources.add("own", "interactions", [table], check([table]))
    assert "no data is not safe" in told("loratadine, mupirocin", home)[0]
    sources.approve("own", "a pharmacist", "compared with the label")
    expected = "Loratadine with Mupirocin: minor interaction. A test effect. Watch. Source: Own set."
    assert told("loratadine, mupirocin", home) == [expected]
