"""`osler calc` as a new user types it: the list, what one asks for, a calculation, and what is refused."""

import json

import pytest
from click.testing import CliRunner, Result

from osler.cli.calc import command
from osler.errors import InputError, OslerError, UsageError
from osler.reasoning.calculators import calculators


def run(*arguments: str) -> Result:
    return CliRunner().invoke(command, [*arguments], standalone_mode=False)


def printed(*arguments: str, capsys: pytest.CaptureFixture[str]) -> str:
    """What the page shows: its console writes to the standard output that was there when it was made."""
    command.main([*arguments], standalone_mode=False)
    return capsys.readouterr().out


@pytest.fixture(autouse=True)
def _fresh_console() -> None:
    from osler.cli.show import console

    console.cache_clear()


def test_the_list_names_every_calculator(capsys: pytest.CaptureFixture[str]) -> None:
    said = printed(capsys=capsys)
    assert all(f"\n{name} " in said for name in calculators())
    assert "osler calc ID key=value" in said
    assert max(map(len, said.splitlines())) <= 100


@pytest.mark.parametrize("name", calculators())
def test_each_shows_what_it_asks_for_with_units_and_ranges(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    said = printed(name, capsys=capsys)
    one = calculators()[name]
    assert all(f"\n{i.key} " in said for i in one.inputs)
    assert one.cite.split()[0] in said


def test_what_is_asked_for_as_json_can_be_given_back() -> None:
    (shown,) = json.loads(run("bmi", "--json").output)
    assert {"id", "en", "zh", "about", "unit", "cite", "inputs"} <= shown.keys()
    assert [(i["key"], i["unit"], i["range"]) for i in shown["inputs"]] == [
        ("weight", "kg", [0.3, 400]),
        ("height", "cm", [30, 250]),
    ]
    assert len(json.loads(run("--json").output)) == 55


def test_a_calculation_shows_value_meaning_inputs_and_source(capsys: pytest.CaptureFixture[str]) -> None:
    said = printed("ckd-epi", "age=60", "sex=male", "creatinine=159.12 μmol/L", capsys=capsys)
    first, second, *rest = said.splitlines()
    assert first.strip() == "CKD-EPI 2021 (creatinine): 42.56 mL/min/1.73 m2"
    assert second.strip() == "moderately to severely decreased (G3b)"
    assert [line.split() for line in rest if "serum creatinine" in line] == [["serum", "creatinine", "1.8", "mg/dL"]]
    assert "Inker LA" in said and "For professional review." in said


def test_a_chinese_name_is_answered_in_chinese(capsys: pytest.CaptureFixture[str]) -> None:
    said = printed("体重指数", "体重＝七十公斤", "身高=１．７５米", capsys=capsys)
    assert said.splitlines()[0].strip() == "体重指数：22.86 kg/m2"
    assert "正常体重" in said and "供专业人员审核" in said and "For professional" not in said


def test_what_was_not_given_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    said = printed("has-bled", "age=70", capsys=capsys)
    assert "HAS-BLED: 1 points" in said
    assert "Not given, taken as absent or default: uncontrolled hypertension" in said


def test_json_keeps_its_shape_in_any_language() -> None:
    made = json.loads(run("体重指数", "体重=70", "身高=175", "--json").output)
    assert made == {
        "id": "bmi",
        "name": "Body mass index",
        "value": 22.86,
        "unit": "kg/m2",
        "steps": [],
        "interpretation": "normal weight (WHO, adults)",
        "inputs": {"weight": "70 kg", "height": "175 cm"},
        "missing": [],
        "citation": "Keys A et al. J Chronic Dis 1972",
        "notice": "for professional review",
    }


@pytest.mark.parametrize(
    ("arguments", "kind", "said"),
    [
        (["bmj"], InputError, "no calculator 'bmj'. Nearest: bmi"),
        (["慢性"], InputError, "no calculator '慢性'. `osler calc` lists them."),
        (["cha2ds2vas"], InputError, "Nearest: cha2ds2-vasc"),
        (["肌酐清除"], InputError, "Nearest: cockcroft-gault"),
        (["bmi", "weight=70"], InputError, "`height` (height, cm) is missing"),
        (["meld-na", "inr=1"], InputError, "`creatinine` (serum creatinine, mg/dL), `bilirubin`"),
        (["bmi", "weight=70 mmol", "height=170"], InputError, "the unit 'mmol' is not known for it. Accepted: kg, g"),
        (["bmi", "weight=7000", "height=170"], InputError, "7000 kg is out of range. It must be 0.3 to 400 kg"),
        (["bmi", "wieght=70", "height=170"], InputError, "no input 'wieght'. Nearest: weight"),
        (["bmi", "体重=70", "weight=70", "height=170"], InputError, "`weight` is given twice"),
        (["bmi", "weight"], UsageError, "key=value"),
        (["bmi", "weight=70", "weight=71"], UsageError, "'weight=71': write each input once"),
        (["bmi", "=70"], UsageError, "key=value"),
        (["due-date", "lmp=9999-12-31"], InputError, "can't be computed"),
        (["gestational-age", "lmp=2024-02-01", "today=2024-01-01"], InputError, "before the last period"),
        (["map", "systolic=80", "diastolic=120"], InputError, "diastolic is above systolic"),
        (["ldl-friedewald", "cholesterol=100", "hdl=90", "triglycerides=200"], InputError, "can't belong together"),
    ],
)
def test_what_is_wrong_is_said_with_what_would_be_right(
    arguments: list[str], kind: type[OslerError], said: str
) -> None:
    error = run(*arguments).exception
    assert type(error) is kind
    assert said in str(error)
