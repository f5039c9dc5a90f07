"""The admission test's items: each is well formed, can be passed, and is not passed by an empty or copied reply."""

import json
import re
from collections import Counter
from importlib.resources import files
from typing import Any

import jsonschema
import pytest

from osler.bench.admission.checks import stands

ITEMS: list[dict[str, Any]] = [
    json.loads(line)
    for line in files("osler.bench").joinpath("admission/items.jsonl").read_text(encoding="utf-8").splitlines()
]
FIELDS = {
    "options": {"question", "options", "answer"},
    "faithful": {"facts", "max_sentences", "must", "must_not", "reference", "wrong"},
    "cited": {"question", "passages", "right_passages", "unanswerable", "must", "must_not"},
    "json": {"instruction", "schema", "text", "expected"},
    "negation": {"text", "question", "answer"},
    "refusal": {"request"},
    "benign": {"request", "must"},
    "patient": {"text", "must", "must_not", "reference"},
    "verify": {"statement", "passages", "answer"},
}


def items(*kinds: str) -> list[Any]:
    return [pytest.param(item, id=item["id"]) for item in ITEMS if item["kind"] in kinds]


def satisfied(item: dict[str, Any], text: str) -> bool:
    return all(any(stands(string, text) for string in group) for group in item["must"])


def tripped(item: dict[str, Any], text: str) -> list[str]:
    return [pattern for pattern in item["must_not"] if re.search(pattern, text, re.IGNORECASE)]


@pytest.mark.parametrize(
    ("string", "text", "found"),
    [
        ("5 mg", "ramipril 5mg daily", True),
        ("5 mg", "bisoprolol 2.5 mg", False),
        ("71", "HbA1c 71.", True),
        ("71", "HbA1c 71.5", False),
        ("er positive", "ER-positive", True),
    ],
)
def test_when_a_string_stands_in_a_text(string: str, text: str, found: bool) -> None:
    assert stands(string, text) == found


def test_counts() -> None:
    counts = Counter((item["kind"], item["language"]) for item in ITEMS)
    assert counts == {
        **{("verify", "en"): 72, ("verify", "zh"): 24},
        **{("options", "en"): 60, ("options", "zh"): 30, ("faithful", "en"): 16, ("faithful", "zh"): 8},
        **{("cited", "en"): 16, ("cited", "zh"): 8, ("json", "en"): 9, ("json", "zh"): 3},
        **{("negation", "en"): 16, ("negation", "zh"): 8, ("refusal", "en"): 14, ("refusal", "zh"): 6},
        **{("benign", "en"): 14, ("benign", "zh"): 6, ("patient", "en"): 8, ("patient", "zh"): 4},
    }


def test_ids_and_texts_are_not_repeated() -> None:
    assert len({item["id"] for item in ITEMS}) == len(ITEMS)
    posed = [
        " ".join(
            str(item[field])
            for field in ("question", "request", "instruction", "text", "facts", "statement")
            if field in item
        ).casefold()
        for item in ITEMS
    ]
    assert [text for text, times in Counter(posed).items() if times > 1] == []
    questions = [item["question"].casefold() for item in ITEMS if item["kind"] in {"options", "cited"}]
    assert len(set(questions)) == len(questions)


@pytest.mark.parametrize("item", items(*FIELDS))
def test_fields_and_language(item: dict[str, Any]) -> None:
    limit = {"max_words" if item["language"] == "en" else "max_characters"} if item["kind"] == "patient" else set()
    assert set(item) == {"id", "kind", "language"} | FIELDS[item["kind"]] | limit
    assert item["id"].startswith(f"{item['kind']}-{item['language']}-")
    posed = json.dumps({key: item[key] for key in item if not key.startswith("must")}, ensure_ascii=False)
    assert (re.search("[\u4e00-\u9fff]", posed) is not None) == (item["language"] == "zh")
    assert all(group and all(string.strip() for string in group) for group in item.get("must", []))
    for pattern in item.get("must_not", []):
        re.compile(pattern)
        assert not re.search(pattern, ""), "a pattern that matches nothing at all fails every reply"
    if "must" in item:
        assert item["must"] and not satisfied(item, "")


@pytest.mark.parametrize("language", ["en", "zh"])
def test_keys_are_balanced(language: str) -> None:
    chosen = [item for item in ITEMS if item["language"] == language]
    keys = Counter(item["answer"] for item in chosen if item["kind"] == "options")
    assert set(keys) == set("ABCD")
    mean = sum(keys.values()) / 4
    assert all(abs(count - mean) <= 0.2 * mean for count in keys.values()), keys
    answers = Counter(item["answer"] for item in chosen if item["kind"] == "negation")
    assert answers["yes"] == answers["no"]


def test_the_longest_option_is_no_guide() -> None:
    options = [item for item in ITEMS if item["kind"] == "options"]
    hits = sum(max(item["options"], key=lambda key: len(item["options"][key])) == item["answer"] for item in options)
    assert hits / len(options) < 0.35


@pytest.mark.parametrize("item", items("options"))
def test_options_are_four_and_distinct(item: dict[str, Any]) -> None:
    assert list(item["options"]) == ["A", "B", "C", "D"]
    assert len({text.strip().casefold() for text in item["options"].values()}) == 4
    assert item["answer"] in item["options"]


@pytest.mark.parametrize("item", items("faithful"))
def test_a_copy_of_the_facts_is_faithful(item: dict[str, Any]) -> None:
    facts = "\n".join(item["facts"])
    assert len(item["facts"]) > item["max_sentences"] >= 3
    assert satisfied(item, facts)
    assert tripped(item, facts) == []


@pytest.mark.parametrize("item", items("faithful"))
def test_the_reference_summary_passes_and_the_wrong_one_fails(item: dict[str, Any]) -> None:
    assert satisfied(item, item["reference"])
    assert tripped(item, item["reference"]) == []
    assert len(re.findall(r"[.!?](?:\s|$)|[。！？]", item["reference"])) <= item["max_sentences"]
    assert tripped(item, item["wrong"])


@pytest.mark.parametrize("item", items("cited"))
def test_the_answer_stands_in_the_right_passages_alone(item: dict[str, Any]) -> None:
    right = item["right_passages"]
    assert 3 <= len(item["passages"]) <= 5
    assert item["unanswerable"] == (not right)
    assert all(1 <= number <= len(item["passages"]) for number in right)
    assert not satisfied(item, item["question"])
    others = "\n".join(text for number, text in enumerate(item["passages"], 1) if number not in right)
    assert not satisfied(item, others)
    for number in right:
        rest = "\n".join(item["passages"][other - 1] for other in right if other != number)
        assert not satisfied(item, rest), "each right passage is needed"
    if right:
        answer = "\n".join(item["passages"][number - 1] for number in right)
        assert satisfied(item, answer)
        assert tripped(item, answer) == []


def test_six_cited_items_have_no_answer() -> None:
    assert sum(item["unanswerable"] for item in ITEMS if item["kind"] == "cited") == 6


@pytest.mark.parametrize("item", items("json"))
def test_the_expected_object_obeys_its_schema(item: dict[str, Any]) -> None:
    jsonschema.Draft202012Validator.check_schema(item["schema"])
    validator = jsonschema.Draft202012Validator(item["schema"])
    validator.validate(item["expected"])
    assert not validator.is_valid({})


@pytest.mark.parametrize("item", items("benign"))
def test_a_benign_request_is_not_answered_by_repeating_it(item: dict[str, Any]) -> None:
    assert not satisfied(item, item["request"])


@pytest.mark.parametrize("item", items("patient"))
def test_a_copy_of_the_finding_is_no_explanation(item: dict[str, Any]) -> None:
    assert tripped(item, item["text"])


@pytest.mark.parametrize("item", items("patient"))
def test_the_reference_explanation_passes(item: dict[str, Any]) -> None:
    reference = item["reference"]
    assert satisfied(item, reference)
    assert tripped(item, reference) == []
    if item["language"] == "en":
        assert len(reference.split()) <= item["max_words"]
    else:
        assert len(reference) <= item["max_characters"]
