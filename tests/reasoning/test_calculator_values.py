"""Values as people write them: units and conversions, Chinese and full-width numbers, dates, and any input at all."""

import datetime
import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from osler.errors import InputError
from osler.reasoning.calculators import calculate, calculators, case_values, find
from osler.reasoning.calculators.catalogue import Input
from osler.reasoning.calculators.values import read_value

INPUTS = {i.key: i for one in calculators().values() for i in one.inputs}


@pytest.mark.parametrize(
    ("key", "written", "value"),
    [
        ("creatinine", "88.4 μmol/L", 1),
        ("creatinine", "88.4 µmol/L", 1),
        ("creatinine", "８８．４微摩尔／升", 1),
        ("creatinine", "1.0毫克/分升", 1),
        ("creatinine", "1 mg per dL", 1),
        ("creatinine", "88.4微摩尔每升", 1),
        ("bilirubin", "171 umol/l", 10),
        ("albumin", "35 g/L", 3.5),
        ("albumin", "三十五克/升", 3.5),
        ("glucose", "5.55 mmol/L", 100),  # 0.0555
        ("bun", "3.57 mmol/L", 10),  # 0.357
        ("calcium", "2.5 毫摩尔/升", 10),  # 0.25
        ("cholesterol", "2.586 mmol/L", 100),  # 0.02586
        ("triglycerides", "1.129 mmol/L", 100),  # 0.01129
        ("hemoglobin", "150 g/L", 15),
        ("hemoglobin", "9.31 mmol/L", 15),  # 0.6206
        ("temperature", "98.6 °F", 37),
        ("temperature", "37 ℃", 37),
        ("temperature", "三十八点五摄氏度", 38.5),
        ("systolic", "16 kPa", 120),
        ("systolic", "120毫米汞柱", 120),
        ("platelets", "150,000 /uL", 150),
        ("platelets", "150 ×10⁹/L", 150),
        ("platelets", "15万/微升", 150),
        ("wbc", "12.5 x10^9/L", 12.5),
        ("wbc", "12500 /mm3", 12.5),
        ("weight", "154 lb", 69.85),
        ("weight", "一百四十斤", 70),
        ("weight", "七十千克", 70),
        ("weight", "10 lb 4 oz", 4.649),
        ("height", "5 ft 7 in", 170.18),
        ("height", "5 feet, 7 inches", 170.18),
        ("height", "1.7 米", 170),
        ("height", "一百七十厘米", 170),
        ("age", "2 years and 6 months", 2.5),
        ("age", "2岁6个月", 2.5),
        ("age", "六十五岁", 65),
        ("age", "一百零二", 102),
        ("age", "18 months", 1.5),
        ("cycle", "五周", 35),
        ("heart_rate", "80次/分", 80),
        ("heart_rate", "八十次每分钟", 80),
        ("height", "五英尺七英寸", 170.18),
        ("heart_rate", "80 beats per minute", 80),
        ("qt", "0.4 s", 400),
        ("qt", "400毫秒", 400),
        ("fio2", "0.5 fraction", 50),
        ("insulin", "60 pmol/L", 10),
        ("drinks", "2 per day", 14),
        ("norepinephrine", "0.1 μg/kg/min", 0.1),
        ("urine", "1.5 L/day", 1500),
    ],
)
def test_a_number_is_read_with_its_unit(key: str, written: str, value: float) -> None:
    assert read_value(INPUTS[key], written)[0] == pytest.approx(value, rel=2e-3)


@pytest.mark.parametrize(
    ("key", "written", "said"),
    [
        ("height", "一百七", "not a number"),  # 107 or 170
        ("height", "一米七", "not known"),
        ("height", "5 ft 7 lb", "'lb'"),
        ("creatinine", "1 mg/dL 88 umol/L", "not a number|not known"),
        ("creatinine", "88 mg/L", "Accepted: mg/dL, umol/L"),
        ("creatinine", "88", "0.05 to 40 mg/dL; units accepted: mg/dL, umol/L"),
        ("creatinine", "-1", "out of range"),
        ("creatinine", "0", "out of range"),
        ("creatinine", "1,5", "not a number"),
        ("creatinine", "1.2.3", "not a number"),
        ("creatinine", "about 1", "not a number"),
        ("creatinine", "<1", "not a number"),
        ("creatinine", "½", "not a number|not known"),
        ("creatinine", float("nan"), "not a number"),
        ("creatinine", float("inf"), "not a number"),
        ("creatinine", [1], "not a number"),
        ("temperature", "98.6", "12 to 46 °C; units accepted: °C, °F"),
        ("spo2", "101 %", "20 to 100 %"),
        ("fio2", "0.5", "fraction"),
        ("ph", "7.4 mmol/L", "Accepted: none"),
        ("ph", "74", "6.3 to 8"),
        ("gcs", "14.5", "whole number"),
        ("age", "-3", "0 to 120"),
        ("age", "121", "0 to 120"),
        ("lmp", "2023-02-29", "YYYY-MM-DD"),
        ("lmp", "01/02/2024", "YYYY-MM-DD"),
        ("lmp", "", "YYYY-MM-DD"),
        ("sex", "other", "One of: male, female"),
        ("hemoptysis", "maybe", "yes or no"),
    ],
)
def test_what_cannot_be_read_is_refused_with_what_can(key: str, written: object, said: str) -> None:
    with pytest.raises(InputError, match=said):
        read_value(INPUTS[key], written)


@pytest.mark.parametrize(
    "written",
    ["2024-01-05", "2024/1/5", "2024.1.5", "2024年1月5日", "２０２４年０１月０５日", "二〇二四年一月五日", "20240105"],
)
def test_a_date_is_read_in_the_orders_that_mean_one_day(written: str) -> None:
    assert read_value(INPUTS["lmp"], written) == (datetime.date(2024, 1, 5).toordinal(), "2024-01-05")


@pytest.mark.parametrize("i", [i for i in INPUTS.values() if i.units], ids=lambda i: i.key)
def test_units_go_there_and_back(i: Input) -> None:
    """Every conversion is a straight line that rises, so two points of it give the way back."""
    assert i.range
    for unit in i.units:
        wide = Input(key=i.key, en=i.en, zh=i.zh, kind="number", unit=i.unit, units=i.units, range=(-1e9, 1e15))
        start, end = (read_value(wide, f"{x} {unit}")[0] for x in (0, 1000))
        slope = (end - start) / 1000
        assert slope > 0
        for value in i.range:
            back = (value - start) / slope
            assert read_value(wide, f"{back:.12f} {unit}")[0] == pytest.approx(value, rel=1e-5, abs=1e-6)


def _any_value(i: Input) -> st.SearchStrategy[Any]:
    if i.kind == "number":
        assert i.range
        return st.integers(math.ceil(i.range[0]), int(i.range[1])) if i.whole else st.floats(*i.range)
    if i.kind == "choice":
        return st.sampled_from([row[0] for row in i.options])
    return st.booleans() if i.kind == "yes-no" else st.dates().map(datetime.date.isoformat)


@pytest.mark.parametrize("name", calculators())
@settings(deadline=None)
@given(data=st.data())
def test_values_within_the_ranges_give_a_value_or_say_why_not(name: str, data: st.DataObject) -> None:
    values = {i.key: data.draw(_any_value(i)) for i in find(name).inputs}
    try:
        value = calculate(name, values, chinese=data.draw(st.booleans())).value
    except InputError as error:
        value = str(error)
    assert value.startswith((f"{name}: ", *"0123456789")) if isinstance(value, str) else math.isfinite(value)


@pytest.mark.parametrize(
    ("name", "key", "fixed", "low", "high", "way"),
    [
        ("bmi", "weight", {"height": 170}, 30, 200, 1),
        ("bmi", "height", {"weight": 70}, 100, 220, -1),
        ("bsa-mosteller", "weight", {"height": 170}, 3, 200, 1),
        ("maintenance-fluids", "weight", {}, 1, 100, 1),
        ("ckd-epi-2021", "creatinine", {"age": 50, "sex": "female"}, 0.2, 10, -1),
        ("ckd-epi-2021", "age", {"creatinine": 1, "sex": "male"}, 18, 100, -1),
        ("mdrd", "creatinine", {"age": 50, "sex": "female"}, 0.2, 10, -1),
        ("meld-na", "bilirubin", {"creatinine": 1, "inr": 1.5, "sodium": 130}, 0.3, 50, 1),
        ("meld-na", "creatinine", {"bilirubin": 3, "inr": 1.5, "sodium": 130}, 0.3, 9, 1),
        ("meld-na", "sodium", {"creatinine": 2, "bilirubin": 3, "inr": 1.5}, 110, 150, -1),
        ("fib-4", "platelets", {"age": 50, "ast": 40, "alt": 40}, 10, 500, -1),
        ("qtc-bazett", "heart_rate", {"qt": 400}, 30, 200, 1),
        ("qtc-fridericia", "heart_rate", {"qt": 400}, 30, 200, 1),
        ("qtc-framingham", "heart_rate", {"qt": 400}, 30, 200, 1),
        ("free-water-deficit", "sodium", {"age": 50, "sex": "male", "weight": 70}, 130, 190, 1),
        ("framingham-hard-chd", "systolic", {"age": 50, "sex": "male", "cholesterol": 200, "hdl": 45}, 90, 200, 1),
        ("framingham-hard-chd", "hdl", {"age": 50, "sex": "female", "cholesterol": 200, "systolic": 130}, 20, 99, -1),
    ],
)
@settings(deadline=None)
@given(data=st.data())
def test_more_never_turns_back(
    name: str, key: str, fixed: dict[str, Any], low: float, high: float, way: int, data: st.DataObject
) -> None:
    less, more = sorted(data.draw(st.tuples(st.floats(low, high), st.floats(low, high))))
    first, second = (float(calculate(name, fixed | {key: at}).value) for at in (less, more))
    assert (second - first) * way >= 0


def test_a_case_of_the_data_set_may_give_a_value_in_parts_and_by_its_opposite() -> None:
    one, values = case_values("Body Mass Index (BMI)", {"weight": [70.0, "kg"], "height": [5, "ft", 7, "in"]})
    assert calculate(one.id, values).value == 24.17
    case = {"age": [2, "years", 6, "months"], "Temperature": [39, "degrees celsius"], "Cough Absent": False}
    one, values = case_values("Centor Score (Modified/McIsaac) for Strep Pharyngitis", case)
    assert values["cough"] is True and values["age"] == "2 years 6 months"
