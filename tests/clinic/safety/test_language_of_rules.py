"""The notation of phrases and conditions, and the readings of vital signs."""

import pytest

from osler.clinic.safety.conditions import Compare, Name, evaluate, parse
from osler.clinic.safety.phrases import Phrasebook
from osler.clinic.safety.vitals import readings
from osler.errors import InputError


@pytest.mark.parametrize(
    ("phrase", "text", "found"),
    [
        ("chest pain", "Chest pains since noon", "Chest pains"),
        ("pain chest", "a pain in the left chest", "pain in the left chest"),
        ("pain ~ arm", "pain going down the arm", "pain going down the arm"),
        ("pain ~ arm", "pain, no radiation to the arm", None),
        ("pain ~ arm", "pain. The arm is fine", None),
        ("papill(o|)edema", "Bilateral papilloedema", "papilloedema"),
        ("papill(o|)edema", "papilledema", "papilledema"),
        ("confus*", "Confusion and", "Confusion"),
        ("stroke", "strokes", "strokes"),
        ("fit", "fitness", None),
        ("hiv", "被HIV阳性", "HIV"),
        ("腹~痛", "腹部剧痛", "腹部剧痛"),
        ("腹~痛", "腹部无压痛", None),
        ("# tablets", "took 40 tablets", "40 tablets"),
        ("t waves? ~ tall", "T wave is tall", "T wave is tall"),
    ],
)
def test_phrases(phrase: str, text: str, found: str | None) -> None:
    spans = Phrasebook({"feature": [phrase]}).find(text)
    assert [text[span.start : span.end] for span in spans] == ([found] if found else [])


def test_a_phrase_without_a_word_or_with_an_open_bracket_is_refused() -> None:
    for phrase in ("(a", "#", "a|b"):
        with pytest.raises(ValueError, match=r"phrase|bracket"):
            Phrasebook({"feature": [phrase]})


@pytest.mark.parametrize(
    ("condition", "true", "holds"),
    [
        ("a & (b | c)", {"a", "c"}, True),
        ("a & (b | c)", {"a"}, False),
        ("a & !b", {"a"}, True),
        ("a & !b", {"a", "b"}, False),
        ("2 of (a, b | c, d)", {"c", "d"}, True),
        ("2 of (a, b | c, d)", {"b", "c"}, False),
        ("!x < 4", set(), True),
    ],
)
def test_conditions(condition: str, true: set[str], holds: bool) -> None:
    def oracle(asked: Name | Compare) -> list[str] | None:
        return [asked.name] if isinstance(asked, Name) and asked.name in true else None

    assert (evaluate(parse(condition, "here"), oracle) is not None) is holds


def test_limits_carry_units_of_age() -> None:
    months = parse("age < 3mo", "x")
    assert isinstance(months, Compare) and months.limit == pytest.approx(91.3, abs=0.1)
    assert parse("sbp <= 90", "x") == Compare("sbp", "<=", 90.0)


@pytest.mark.parametrize("text", ["a &", "(a", "a b", "sbp <", "2 of a", "a % b", ""])
def test_a_broken_condition_names_its_rule(text: str) -> None:
    with pytest.raises(InputError, match="rule-x"):
        parse(text, "rule-x")


@pytest.mark.parametrize(
    ("text", "measure", "value"),
    [
        ("BP 82/40", "sbp", 82),
        ("BP 130/80 falling to 78 systolic", "sbp", 78),
        ("血压80/50mmHg", "sbp", 80),
        ("HR 135", "hr", 135),
        ("心率135次/分", "hr", 135),
        ("RR 30", "rr", 30),
        ("呼吸30次/分", "rr", 30),
        ("SpO2 84%", "spo2", 84),
        ("血氧饱和度84%", "spo2", 84),
        ("T 39.4", "temp", 39.4),
        ("temp 102.9 F", "temp", 39.39),
        ("体温39.5℃", "temp", 39.5),
        ("shivering, now 39.6.", "temp", 39.6),
        ("GCS 7", "gcs", 7),
        ("glucose 2.1 mmol/L", "glucose", 2.1),
        ("glucose 38 mg/dL", "glucose", 2.11),
        ("lactate 4.5", "lactate", 4.5),
        ("Na 112", "na", 112),
        ("potassium 6.9", "k", 6.9),
        ("creatinine 4.1 mg/dL", "creatinine", 362.5),
        ("PaCO2 9.8 kPa", "paco2", 73.5),
        ("pH 7.08", "ph", 7.08),
    ],
)
def test_readings(text: str, measure: str, value: float) -> None:
    found = [reading for reading in readings(text, "note") if reading.measure == measure]
    assert found and found[-1].value == pytest.approx(value, rel=0.01)
    assert text[found[-1].start : found[-1].end] == found[-1].text


@pytest.mark.parametrize(
    "text", ["vision 6/60", "took 40 x 500 mg", "aged 39.", "since 2019", "K2 prescribed", "5/5 power"]
)
def test_numbers_that_are_no_readings(text: str) -> None:
    assert readings(text, "note") == []
