"""The solved questions shown before a question are well-formed, unlike one another, and give no letter away."""

import json
import re
from collections import Counter
from itertools import pairwise
from typing import Any

import pytest

from osler.reasoning.examples import FILE, examples
from osler.reasoning.methods.few_shot import SHOTS
from osler.text import Language, has_chinese, language_of

ROWS: list[dict[str, Any]] = [json.loads(line) for line in FILE.read_text(encoding="utf-8").splitlines()]
KEYS = ["question", "options", "answer", "reason", "language"]
COUNTS: dict[Language, int] = {"en": 48, "zh": 24}
STUDIES: dict[Language, list[str]] = {"en": ["yes", "no", "maybe"], "zh": ["是", "否", "不确定"]}
LETTER_NAMED = re.compile(
    r"\b(?i:options?|answers?|choices?)\s*(?:is\s+|are\s+|:\s*)?\(?[A-D]\b|\([A-D]\)|^[A-D][.:)]"
    r"|(?:选项?|答案[是为：:]?|故选)\s*[A-DＡ-Ｄ]|[A-DＡ-Ｄ]\s*(?:选?项|正确|错误)"
)


def rows_of(language: Language) -> list[dict[str, Any]]:
    return [row for row in ROWS if row["language"] == language]


def is_study(row: dict[str, Any]) -> bool:
    return len(row["options"]) == 3


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["question"][:40])
def test_a_row_is_well_formed(row: dict[str, Any]) -> None:
    assert list(row) == KEYS
    assert list(row["options"]) == list("ABC" if is_study(row) else "ABCD")
    assert row["answer"] in row["options"]
    texts = [row["question"], row["reason"], *row["options"].values()]
    assert all(text and text == text.strip() for text in texts)
    assert len({text.casefold() for text in row["options"].values()}) == len(row["options"])
    assert language_of(row["question"]) == row["language"]
    assert has_chinese(row["reason"]) == (row["language"] == "zh")


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["question"][:40])
def test_a_reason_is_short_and_names_no_letter(row: dict[str, Any]) -> None:
    assert not LETTER_NAMED.search(row["reason"])
    assert 1 <= len(re.findall(r"[.。](?=\s|$|[\u4e00-\u9fffⅠⅡ])|[a-z]\.$", row["reason"])) <= 3


@pytest.mark.parametrize(
    "text", ["Option B fits.", "The answer is C.", "(D) is right.", "故选A。", "B项错误。", "A. This"]
)
def test_a_named_letter_is_seen(text: str) -> None:
    assert LETTER_NAMED.search(text)


@pytest.mark.parametrize(
    "text", ["Vitamin D falls.", "Hepatitis B is likely.", "Factor Xa is blocked.", "维生素D缺乏。"]
)
def test_a_letter_of_medicine_is_not_a_named_option(text: str) -> None:
    assert not LETTER_NAMED.search(text)


def test_no_question_stands_twice() -> None:
    squeezed = [re.sub(r"\W", "", row["question"].casefold()) for row in ROWS]
    assert len(set(squeezed)) == len(ROWS)
    assert len({row["reason"] for row in ROWS}) == len(ROWS)


@pytest.mark.parametrize("language", COUNTS)
def test_counts_and_spread_of_answers(language: Language) -> None:
    rows = rows_of(language)
    assert len(examples(language)) == len(rows) == COUNTS[language]
    assert Counter(row["answer"] for row in rows) == dict.fromkeys("ABCD", COUNTS[language] // 4)
    letters = "".join(row["answer"] for row in rows)
    assert not any(key * 3 in letters for key in "ABCD")
    assert len(set(letters[:SHOTS])) == SHOTS


@pytest.mark.parametrize("language", COUNTS)
def test_an_eighth_are_studies_with_each_verdict_as_often(language: Language) -> None:
    studies = [row for row in rows_of(language) if is_study(row)]
    assert len(studies) == COUNTS[language] // 8
    assert all(list(row["options"].values()) == STUDIES[language] for row in studies)
    assert Counter(row["answer"] for row in studies) == dict.fromkeys("ABC", len(studies) // 3)
    assert not any(is_study(one) and is_study(other) for one, other in pairwise(rows_of(language)))


@pytest.mark.parametrize("language", COUNTS)
def test_the_longest_option_is_no_clue(language: Language) -> None:
    """Choosing the one longest option does no better than chance would, within its scatter."""
    four = [row for row in rows_of(language) if not is_study(row)]
    longest = 0
    for row in four:
        right = len(row["options"][row["answer"]])
        longest += all(len(text) < right for key, text in row["options"].items() if key != row["answer"])
    assert longest <= 0.4 * len(four)


@pytest.mark.parametrize("language", COUNTS)
def test_the_first_six_hold_a_study_a_short_question_and_a_case(language: Language) -> None:
    first = rows_of(language)[:6]
    lengths = [len(row["question"]) for row in first if not is_study(row)]
    assert sum(map(is_study, first)) == 1
    assert min(lengths) * 3 < max(lengths)
    assert {row["answer"] for row in first} == set("ABCD")
