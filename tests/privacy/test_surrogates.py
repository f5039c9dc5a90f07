"""Surrogates: the same make, the same patient the same value, dates that keep intervals and weekdays."""

import re
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from osler.privacy.patterns import chinese_id
from osler.privacy.surrogates import Surrogates

KEY = b"k" * 32


def test_equal_for_equal_and_other_for_another_patient() -> None:
    one, again, other = Surrogates(KEY, "a"), Surrogates(KEY, "a"), Surrogates(KEY, "b")
    assert one("NAME", "Maria Lopez") == again("NAME", "Maria Lopez")
    assert any(one("NAME", name) != other("NAME", name) for name in ("Maria Lopez", "John Smith", "Wei Chen"))


def test_name_keeps_shape_and_its_parts_agree() -> None:
    draw = Surrogates(KEY, "a")
    whole, last = draw("NAME", "Maria Lopez"), draw("NAME", "LOPEZ, MARIA")
    assert re.fullmatch(r"[^\W\d]+ [^\W\d]+", whole) and "Maria" not in whole and "Lopez" not in whole
    assert last == f"{whole.split()[1].upper()}, {whole.split()[0].upper()}"
    assert re.fullmatch(r"[\u4e00-\u9fff]{3}", draw("NAME", "王小明")) and draw("NAME", "王小明")[0] != "王"


@settings(deadline=None)
@given(st.dates(date(1930, 1, 1), date(2030, 12, 31)), st.integers(0, 4000), st.text(max_size=8))
def test_shift_keeps_intervals_and_weekdays(day: date, apart: int, patient: str) -> None:
    draw = Surrogates(KEY, patient)
    later = day + timedelta(days=apart)
    moved = [date.fromisoformat(draw.shifted(d.isoformat())) for d in (day, later)]
    assert (moved[1] - moved[0]).days == apart and moved[0].weekday() == day.weekday() and moved[0] != day


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("03/14/2021", r"\d\d/\d\d?/\d{4}"),
        ("2021年3月14日", r"\d{4}年\d+月\d+日"),
        ("March 14, 2021", r"[A-Z][a-z]+ \d+, \d{4}"),
        ("14-Mar-21", r"\d+-[A-Z][a-z]{2}-\d\d"),
        ("14 MAR 2021", r"\d+ [A-Z]{3} \d{4}"),
        ("3月14日", r"\d+月\d+日"),
    ],
)
def test_shift_keeps_the_format(text: str, form: str) -> None:
    moved = Surrogates(KEY, "p").shifted(text)
    assert moved is not None and re.fullmatch(form, moved) and moved != text


def test_what_is_no_date_is_not_shifted() -> None:
    assert Surrogates(KEY).shifted("99/99/2021") is None
    assert Surrogates(KEY).shifted("Easter") is None


def test_numbers_keep_shape_and_check_digit() -> None:
    draw = Surrogates(KEY, "p")
    number = draw("ID", "11010519491231002X")
    assert number != "11010519491231002X" and chinese_id(number)
    assert re.fullmatch(r"\(\d{3}\) \d{3}-\d{4}", draw("PHONE", "(415) 555-0132"))
    assert draw("EMAIL", "a.b@hospital.example").endswith("@example.org")


def test_generalised() -> None:
    draw = Surrogates(KEY)
    assert draw.generalised("AGE", "93") == "90+"
    assert draw.generalised("ZIP", "86305-4471") == "86300"
    assert draw.generalised("ZIP", "03601") == "00000"
    assert draw.generalised("DATE", "March 3, 2019") == "2019"
