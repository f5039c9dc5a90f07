"""Each change, on questions made for it: what must be rewritten is, and what must stay does."""

import re
from random import Random

import pytest

from osler.bench.choice import Item
from osler.trust.variants import changes

YES_NO = Item("1", "1", "Is zinc useful?", {"A": "yes", "B": "no", "C": "maybe"}, "A", context="Zinc was useful.")
VIGNETTE = Item(
    "2",
    "2",
    "A man with severe hypertension and a temperature of 39.0°C came on March 5, 2023. What is the diagnosis?",
    {"A": "gout", "B": "sepsis", "C": "asthma", "D": "anaemia"},
    "B",
)
CHINESE = Item(
    "3", "3", "患者腹痛，检查血糖11.1mmol/L，2023年3月5日入院。", {"A": "痛风", "B": "哮喘", "C": "贫血"}, "A", "zh"
)


def _one(name: str, item: Item) -> Item:
    [made] = changes()[name].variants(item).values()
    return made


def _text(name: str, text: str) -> str:
    rewrite = changes()[name].text
    assert rewrite is not None
    return rewrite(text, Random(1))


@pytest.mark.parametrize("name", list(changes()))
def test_every_change_is_made_alike_and_leaves_id_group_and_a_right_option(name: str) -> None:
    for item in (YES_NO, VIGNETTE, CHINESE):
        first, second = changes()[name].variants(item), changes()[name].variants(item)
        assert first == second
        for made in first.values():
            assert (made.id, made.group) == (item.id, item.group)
            assert made != item and set(made.answer) <= made.options.keys() == item.options.keys()
            if changes()[name].expects == "same":
                assert made.options[made.answer] == item.options[item.answer]


@pytest.mark.parametrize("name", ["typos", "OCR noise"])
def test_noise_leaves_numbers_alone(name: str) -> None:
    text = "Creatinine 1.25 mg/dL in a 45-year-old woman with hypertension, amlodipine 10 mg since 2019, pulse 101. "
    made = _text(name, text * 5)
    assert made != text * 5
    assert re.findall(r"(?<!\w)\d[\d.]*(?!\w)", made) == re.findall(r"(?<!\w)\d[\d.]*(?!\w)", text * 5)


def test_units_say_the_same_in_another_unit() -> None:
    assert _text("units", "Temperature is 39.0°C, weight 80 kg.") == "Temperature is 102 °F, weight 176 lb."
    assert _text("units", "serum creatinine of 2.0 mg/dL") == "serum creatinine of 177 umol/L"
    assert _text("units", "血糖11.1mmol/L") == "血糖200 mg/dL"
    assert _text("units", "He took 80 kg of sand; glucose 5") == "He took 80 kg of sand; glucose 5"


def test_dates_mean_the_same_day() -> None:
    assert _text("date format", "on March 5, 2023") == "on 2023-03-05"
    assert _text("date format", "2023-03-05 and 2023-13-45") == "5 March 2023 and 2023-13-45"
    assert _text("date format", "2023年3月5日入院") == "2023-03-05入院"
    assert _text("date format", "12 May 2020 or Feb. 31, 2020") == "2020-05-12 or Feb. 31, 2020"


def test_terms_change_their_names_and_nothing_else() -> None:
    assert _text("mixed language", "severe hypertension in a man") == "severe 高血压 in a man"
    made = _text("synonyms", "severe hypertension in a man")
    assert made.startswith("severe ") and made.endswith(" in a man") and made != "severe hypertension in a man"
    assert _text("abbreviations", "with shortness of breath since May").split()[1] in ("SOB", "DOE")
    assert _text("mixed language", "both type 1 and type 2 diabetes") == "both type 1 and 2型糖尿病"


def test_negation_turns_yes_and_no_where_there_is_something_to_read() -> None:
    made = _one("negation", YES_NO)
    assert made.answer == "B" and "Is zinc useful?" in made.question and made.context == YES_NO.context
    assert not changes()["negation"].variants(YES_NO._replace(answer="C"))
    assert not changes()["negation"].variants(YES_NO._replace(context=None))


def test_none_of_the_above_takes_the_right_option_away() -> None:
    made = _one("none of the above", VIGNETTE)
    assert made.options[made.answer] == "None of the above" and "sepsis" not in made.options.values()
    assert not changes()["none of the above"].variants(YES_NO)
    both = VIGNETTE._replace(options={**VIGNETTE.options, "D": "All of the above"})
    assert not changes()["none of the above"].variants(both)


@pytest.mark.parametrize("name", ["misleading context", "wrong answer prefilled", "injected instruction"])
def test_what_is_added_speaks_for_a_wrong_option(name: str) -> None:
    made = _one(name, VIGNETTE)
    added = made.question.replace(VIGNETTE.question, "")
    assert added.strip() and "sepsis" not in added and not re.search(r"\bB\b", added)
    beside = _one(name, YES_NO)
    assert (beside.context or "").startswith("Zinc was useful.")


def test_truncation_leaves_the_beginning_alone() -> None:
    made = _one("truncated", VIGNETTE)
    assert VIGNETTE.question.startswith(made.question) and "diagnosis" not in made.question
    assert changes()["truncated"].expects == "refusal"
