"""Names in text: offsets, word forms, word order, conjunctions, Chinese, ambiguous short names."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from osler.knowledge.concepts.abbreviations import with_abbreviations
from osler.knowledge.concepts.index import Index, Name
from osler.knowledge.concepts.matcher import Matcher

NAMES = [
    Name("HP:0002027", "Abdominal pain", "hpo", "label"),
    Name("HP:0100749", "Chest pain", "hpo", "label"),
    Name("HP:0000365", "Hearing loss", "hpo"),
    Name("HP:0000572", "Visual loss", "hpo", "label"),
    Name("HP:0000969", "Edema", "hpo", "label"),
    Name("HP:0000470", "Short neck", "hpo", "label"),
    Name("HP:0001744", "Splenomegaly", "hpo", "label"),
    Name("HP:0001744", "Enlarged spleen", "hpo"),
    Name("HP:0000107", "Renal cyst", "hpo", "label"),
    Name("HP:0000077", "Abnormality of the kidney", "hpo", "label"),
    Name("HP:0000598", "Abnormality of the ear", "hpo", "label"),
    Name("HP:0000089", "Renal hypoplasia", "hpo", "label"),
    Name("HP:0000104", "Renal agenesis", "hpo", "label"),
    Name("HP:0000939", "Osteoporosis", "hpo", "label"),
    Name("HP:0001631", "房间隔缺损", "hpo"),
    Name("HP:0001407", "肝囊肿", "hpo"),
    Name("HP:0000107", "肾囊肿", "hpo"),
    Name("HP:0012531", "Pain", "hpo", "label"),
    Name("HP:0000648", "Optic atrophy", "hpo", "label"),
    Name("HP:0000648", "Atrophy of the optic nerve", "hpo"),
    Name("HP:0001903", "Anemia", "hpo", "label"),
    Name("HP:0001944", "Dehydration", "hpo", "label"),
    Name("HP:9", "Vaccinia", "hpo", "label"),
    Name("HP:0003745", "Sporadic", "hpo", "label"),
    Name("HP:0003745", "Sporadic case", "hpo"),
    Name("HP:0009371", "Type A1 brachydactyly", "hpo", "label"),
    Name("HP:0000726", "Nonprogressive dementia", "hpo", "label"),
    Name("HP:0100749", "胸痛", "hpo", "label"),
    Name("HP:0002094", "呼吸困难", "hpo", "label"),
    Name("MONDO:1", "Acute lymphoblastic leukemia", "disease", "label"),
    Name("MONDO:1", "ALL", "disease", "abbreviation"),
    Name("MONDO:2", "chest pain", "disease", "label"),
    Name("MONDO:3", "Tuberous sclerosis", "disease", "label"),
    Name("MONDO:4", "2型糖尿病", "disease", "label"),
    Name("DRUG:1", "10", "drug"),
]


@pytest.fixture(scope="module")
def matcher() -> Matcher:
    return Matcher(Index.build(NAMES))


def found(matcher: Matcher, text: str, kind: str = "hpo") -> list[tuple[str, str]]:
    return [(mention.code, mention.text) for mention in matcher.find(text) if mention.kind == kind]


@pytest.mark.parametrize(
    ("text", "code", "span"),
    [
        ("Severe abdominal pain.", "HP:0002027", "abdominal pain"),
        ("pain in the abdomen", "HP:0002027", "pain in the abdomen"),
        ("ABDOMINAL PAINS", "HP:0002027", "ABDOMINAL PAINS"),
        ("leg oedema", "HP:0000969", "oedema"),
        ("an anaemia of unknown cause", "HP:0001903", "anaemia"),
        ("atrophy of optic nerves", "HP:0000648", "atrophy of optic nerves"),
        ("brachydactyly type A1", "HP:0009371", "brachydactyly type A1"),
        ("a non-progressive dementia", "HP:0000726", "non-progressive dementia"),
        ("患者胸痛伴发热", "HP:0100749", "胸痛"),
        ("ｃｈｅｓｔ ｐａｉｎ", "HP:0100749", "ｃｈｅｓｔ ｐａｉｎ"),
        ("the patient complained of sudden and severe chest\npain today", "HP:0100749", "chest\npain"),
    ],
)
def test_forms_of_a_name(matcher: Matcher, text: str, code: str, span: str) -> None:
    assert (code, span) in found(matcher, text)


def test_longest_name_wins_and_parts_stay_only_when_nested(matcher: Matcher) -> None:
    assert found(matcher, "abdominal pain") == [("HP:0002027", "abdominal pain")]
    assert ("HP:0012531", "pain") in [(m.code, m.text) for m in matcher.find("abdominal pain", nested=True)]


def test_a_span_has_one_mention_in_each_vocabulary(matcher: Matcher) -> None:
    assert [(m.kind, m.code) for m in matcher.find("chest pain")] == [("disease", "MONDO:2"), ("hpo", "HP:0100749")]


def test_a_conjunction_shares_its_head(matcher: Matcher) -> None:
    assert found(matcher, "mild hearing and visual loss") == [
        ("HP:0000365", "hearing and visual loss"),
        ("HP:0000572", "visual loss"),
    ]
    assert ("HP:0100749", "chest or abdominal pain") in found(matcher, "no chest or abdominal pain")


@pytest.mark.parametrize("text", ["pain, abdominal wall intact", "chest. Pain", "visual\n\nloss", "painful", "edemas2"])
def test_words_apart_are_no_name(matcher: Matcher, text: str) -> None:
    assert [code for code, _ in found(matcher, text) if code != "HP:0012531"] == []


def test_a_torn_name_says_no_more_than_the_same_term_inside_it(matcher: Matcher) -> None:
    assert found(matcher, "sporadic and familial cases") == [("HP:0003745", "sporadic")]
    assert found(matcher, "a sporadic case") == [("HP:0003745", "sporadic case")]


def test_a_person_s_name_is_no_adverb() -> None:
    matcher = Matcher(Index.build([Name("MONDO:9", "Still disease", "disease")]))
    assert [m.text for m in matcher.find("The disease is still active: Still's disease.")] == ["Still's disease"]


def test_a_name_with_its_side_goes_before_one_without() -> None:
    names = [Name("HP:1", "Dilated ventricle", "hpo"), Name("HP:2", "Right ventricular dilation", "hpo")]
    matcher = Matcher(Index.build(names))
    assert [(m.code, m.text) for m in matcher.find("a dilated right ventricle")] == [
        ("HP:2", "dilated right ventricle")
    ]


def test_capitals_are_needed_for_abbreviations(matcher: Matcher) -> None:
    assert found(matcher, "all patients", "disease") == []
    assert found(matcher, "treated for ALL", "disease") == [("MONDO:1", "ALL")]


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("otic, cardiac and renal anomalies", {"HP:0000077", "HP:0000598"}),
        ("renal hypoplasia and agenesis", {"HP:0000089", "HP:0000104"}),
        ("the neck appears short", {"HP:0000470"}),
        ("The spleen, whose tip reaches the umbilicus, is markedly enlarged.", {"HP:0001744"}),
        ("The spleen is not enlarged", set()),
        ("neck pain, and the stature is short", {"HP:0012531"}),
        ("renal failure, and a cyst", set()),
        ("splenomegally", {"HP:0001744"}),
        ("an osteoporotic spine", {"HP:0000939"}),
        ("超声见肝、肾囊肿", {"HP:0001407", "HP:0000107"}),
        ("pain in the left abdomen", {"HP:0002027"}),
        ("atrophy of the right optic nerve", {"HP:0000648"}),
        ("dehydrated, vaccinated", {"HP:0001944"}),
    ],
)
def test_names_torn_apart_and_misspelt(matcher: Matcher, text: str, codes: set[str]) -> None:
    assert {code for code, _ in found(matcher, text)} == codes


def test_a_swapped_prefix_is_no_typo() -> None:
    matcher = Matcher(Index.build([Name("HP:1", "Hypertrichosis", "hpo"), Name("HP:2", "Macrocephaly", "hpo")]))
    assert [m.text for m in matcher.find("hypotrichosis, microcephaly, hypertrichoss, macrocephally")] == [
        "hypertrichoss",
        "macrocephally",
    ]


def test_numbers_are_no_names(matcher: Matcher) -> None:
    assert found(matcher, "10 days", "drug") == []
    assert found(matcher, "有2型糖尿病10年", "disease") == [("MONDO:4", "2型糖尿病")]


def test_abbreviations_defined_in_the_text(matcher: Matcher) -> None:
    text = "Tuberous sclerosis (TS) is rare. TS was found; TSH was normal."
    spans = [(m.text, m.start) for m in with_abbreviations(text, matcher.find(text)) if m.code == "MONDO:3"]
    assert spans == [("Tuberous sclerosis", 0), ("TS", 20), ("TS", 33)]
    text = "房间隔缺损（ASD）自幼发现，ASD直径8毫米。"
    assert [m.text for m in with_abbreviations(text, matcher.find(text))] == ["房间隔缺损", "ASD", "ASD"]
    assert len(with_abbreviations("Edema (XQ). XQ again.", matcher.find("Edema (XQ). XQ again."))) == 1


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from([name.name for name in NAMES] + [" ", "\n", "ﬁ", "İ", "и", "，", "(", "😀", "and"])))
def test_offsets_are_those_of_the_text(matcher: Matcher, parts: list[str]) -> None:
    text = " ".join(parts)
    for mention in matcher.find(text):
        assert text[mention.start : mention.end] == mention.text
    assert [m[:2] for m in matcher.find(text)] == sorted(
        [m[:2] for m in matcher.find(text)], key=lambda s: (s[0], -s[1])
    )


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=200))
def test_any_text_is_read(matcher: Matcher, text: str) -> None:
    for mention in with_abbreviations(text, matcher.find(text)):
        assert text[mention.start : mention.end] == mention.text


def test_a_stored_index_answers_alike_and_knows_what_it_was_built_from(matcher: Matcher, tmp_path: Path) -> None:
    file = tmp_path / "cache" / "names.npz"
    matcher.index.save(file, "key")
    text = "hearing and visual loss, pain in the abdomen"
    assert Matcher(Index.load(file, "key")).find(text) == matcher.find(text)
    with pytest.raises(ValueError, match="other names"):
        Index.load(file, "another key")
    assert [path.name for path in file.parent.iterdir()] == ["names.npz"]


def test_no_names_and_no_text(matcher: Matcher) -> None:
    assert Matcher(Index.build([])).find("chest pain") == []
    assert matcher.find("") == []


def test_a_long_text_without_marks_is_read_in_blocks(matcher: Matcher) -> None:
    text = "no chest pain and " * 9000
    found = matcher.find(text)
    assert {m.text for m in found if m.kind == "hpo"} == {"chest pain"}
    assert sum(m.kind == "hpo" for m in found) == 9000
