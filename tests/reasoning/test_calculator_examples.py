"""Worked examples of the calculators, computed by hand from the publications, with the values on both sides of a limit.

Nothing here is taken from what the program prints.
"""

import pytest

from osler.reasoning.calculators import calculate

WELL = {"systolic": 120, "diastolic": 80, "heart_rate": 80, "respiratory_rate": 16, "temperature": 37, "fio2": 21}
SOFA = {"pao2": 95, "platelets": 250, "gcs": 15, "bilirubin": 0.8, "systolic": 120, "diastolic": 80, "creatinine": 0.9}
SOFA |= {"fio2": 21}
APACHE = WELL | {"age": 44, "pao2": 90, "ph": 7.4, "sodium": 140, "potassium": 4, "creatinine": 1, "hematocrit": 40}
APACHE |= {"wbc": 8, "gcs": 15, "chronic": "none"}
PSI = {"respiratory_rate": 16, "systolic": 120, "temperature": 37, "heart_rate": 80, "sex": "male"}
PSI_ALL = dict.fromkeys("nursing_home neoplasm liver heart_failure cerebrovascular renal mental effusion".split(), True)
PSI_ALL |= {"respiratory_rate": 30, "systolic": 89, "temperature": 40, "heart_rate": 125, "ph": 7.34, "bun": 30}
PSI_ALL |= {"sodium": 129, "glucose": 250, "hematocrit": 29, "pao2": 59}
BLED = dict.fromkeys("hypertension renal liver stroke bleeding labile_inr drugs".split(), True)
BLATCHFORD = {"sex": "male", "bun": 18.1, "hemoglobin": 13, "systolic": 110, "heart_rate": 99}
BLATCHFORD_ALL = {"bun": 70, "hemoglobin": 9.9, "systolic": 89, "heart_rate": 100, "melena": 1, "syncope": 1}
BLATCHFORD_ALL |= {"hepatic": 1, "cardiac": 1}
VASC = dict.fromkeys("heart_failure hypertension stroke vascular diabetes".split(), "yes")
HEART = {"age": 44, "history": "slightly-suspicious", "ecg": "normal", "troponin": "normal"}
PUGH = {"bilirubin": 1.9, "albumin": 3.6, "inr": 1.6, "ascites": "absent", "encephalopathy": "none"}
PUGH_2 = {"bilirubin": 3, "albumin": 2.8, "inr": 2.3, "ascites": "slight", "encephalopathy": "grade-1-2"}
PUGH_3 = {"bilirubin": 3.1, "albumin": 2.7, "inr": 2.4, "ascites": "moderate", "encephalopathy": "grade-3-4"}
MELD = {"creatinine": 1.9, "bilirubin": 4.2, "inr": 1.2, "sodium": 137}  # 2.0039 -> 20 without sodium
CENTOR = {"temperature": 38.1, "cough": "no", "exudate": "yes", "nodes": "yes"}
GAP = {"sodium": 140, "chloride": 100, "bicarbonate": 10}
QT = {"qt": 360, "heart_rate": 75}
DVT = dict.fromkeys("cancer bedridden calf collateral leg tenderness pitting paralysis previous".split(), True)
PE = dict.fromkeys("dvt_signs likeliest immobile previous hemoptysis malignancy".split(), True)
COCKCROFT = {"age": 40, "weight": 72, "height": "70 in", "creatinine": 1}

EXAMPLES = [
    ("bmi", {"weight": 70, "height": 175}, 22.86, "normal"),
    ("bmi", {"weight": 74, "height": 200}, 18.5, "normal"),
    ("bmi", {"weight": 73.9, "height": 200}, 18.48, "underweight"),
    ("bmi", {"weight": 120, "height": 200}, 30, "obese"),
    ("bsa-mosteller", {"weight": 80, "height": 180}, 2, ""),
    ("bsa-mosteller", {"weight": 60, "height": 160}, 1.633, ""),
    ("ideal-body-weight", {"sex": "male", "height": "70 in"}, 73, ""),
    ("ideal-body-weight", {"sex": "female", "height": "5 ft"}, 45.5, ""),
    ("ideal-body-weight", {"sex": "female", "height": 150}, 43.33, "extended"),  # 45.5 - 2.3 * 0.9449
    ("adjusted-body-weight", {"sex": "male", "height": "70 in", "weight": 113}, 89, ""),
    ("adjusted-body-weight", {"sex": "male", "height": "70 in", "weight": 63}, 69, "not above"),
    ("target-weight", {"bmi": 25, "height": "2 m"}, 100, ""),
    ("maintenance-fluids", {"weight": 25}, 65, ""),
    ("map", {"systolic": 120, "diastolic": 80}, 93.33, "65 mmHg or more"),
    ("map", {"systolic": 85, "diastolic": 54}, 64.33, "below"),
    ("qtc-bazett", QT, 402.49, "not prolonged"),
    ("qtc-fridericia", QT, 387.80, "not prolonged"),
    ("qtc-framingham", QT, 390.8, "not prolonged"),
    ("qtc-hodges", QT, 386.25, "not prolonged"),
    ("qtc-rautaharju", QT, 390, "not prolonged"),
    ("qtc-bazett", {"qt": 450, "heart_rate": 60}, 450, "in men"),
    ("qtc-bazett", {"qt": 500, "heart_rate": 60}, 500, "markedly"),
    ("cha2ds2-vasc", {"age": 76, "sex": "female", "hypertension": 1, "diabetes": 1}, 5, "high"),
    ("cha2ds2-vasc", {"age": 75, "sex": "female"} | VASC, 9, "high"),
    ("cha2ds2-vasc", {"age": 64, "sex": "female"}, 1, "low"),
    ("cha2ds2-vasc", {"age": 65, "sex": "male"}, 1, "intermediate"),
    ("cha2ds2-vasc", {"age": 65, "sex": "female"}, 2, "intermediate"),
    ("cha2ds2-vasc", {"age": 75, "sex": "male"}, 2, "high"),
    ("has-bled", {"age": 66, "drinks": 7}, 1, "moderate"),
    ("has-bled", {"age": 66, "drinks": 8} | BLED, 9, "high"),
    ("heart-score", HEART, 0, "low"),
    ("heart-score", HEART | {"age": 45, "smoking": True, "history": "moderately-suspicious"}, 3, "low"),
    ("heart-score", HEART | {"age": 65, "smoking": True, "obesity": True, "family": True}, 4, "moderate"),
    ("rcri", {"creatinine": 2}, 0, "class I (0.4"),
    ("rcri", {"creatinine": 2.1, "surgery": True, "ischemic": True}, 3, "class IV"),
    ("steroid-conversion", {"from": "prednisone", "to": "methylprednisolone", "dose": 40}, 32, ""),
    ("steroid-conversion", {"from": "dexamethasone", "to": "prednisone", "dose": 6}, 40, ""),
    ("mme", {"tramadol": 50, "tramadol_per_day": 4}, 40, "under 50"),
    ("mme", {"oxycodone": 10, "oxycodone_per_day": 6}, 90, "90 MME a day or more"),
    ("mme", {"fentanyl_patch": 25}, 60, "50 MME a day or more"),
    ("mme", {"methadone": 6, "methadone_per_day": 2}, 56.4, "50 MME"),
    ("anion-gap", {"sodium": 140, "chloride": 104, "bicarbonate": 24}, 12, "not raised"),
    ("anion-gap", GAP, 30, "raised (over"),
    ("delta-gap", GAP, 18, ""),
    ("delta-ratio", GAP, 1.286, "pure"),
    ("delta-ratio", {"sodium": 140, "chloride": 102, "bicarbonate": 28}, 0.5, "can't be read"),
    ("albumin-corrected-anion-gap", GAP | {"albumin": 2}, 35, "raised (over"),
    ("albumin-corrected-delta-gap", GAP | {"albumin": "20 g/L"}, 23, ""),
    ("albumin-corrected-delta-ratio", GAP | {"albumin": 2}, 1.6429, "pure"),
    ("corrected-calcium", {"calcium": 8, "albumin": 2}, 9.6, "within"),
    ("corrected-calcium", {"calcium": 10.6, "albumin": 4}, 10.6, "high"),
    ("corrected-sodium", {"sodium": 130, "glucose": 600}, 142, ""),
    ("serum-osmolality", {"sodium": 140, "bun": 14, "glucose": 90}, 290, "within"),
    ("serum-osmolality", {"sodium": 140, "bun": 14, "glucose": 90, "ethanol": 46}, 300, "high"),
    ("gcs", {"eye": "E2", "verbal": "V2", "motor": "M4"}, 8, "severe"),
    ("gcs", {"eye": 3, "verbal": 4, "motor": 5}, 12, "moderate"),
    ("gcs", {"eye": "spontaneous", "verbal": "confused", "motor": "obeys"}, 14, "mild"),
    ("glasgow-blatchford", BLATCHFORD, 0, "very low"),
    ("glasgow-blatchford", BLATCHFORD | BLATCHFORD_ALL, 23, "not in"),
    ("glasgow-blatchford", BLATCHFORD | {"bun": "6.5 mmol/L", "hemoglobin": "129 g/L", "systolic": 109}, 4, ""),
    ("glasgow-blatchford", BLATCHFORD | {"bun": "8 mmol/L"}, 3, ""),
    ("glasgow-blatchford", BLATCHFORD | {"bun": "10 mmol/L"}, 4, ""),
    ("glasgow-blatchford", BLATCHFORD | {"sex": "female", "hemoglobin": 11.9}, 1, ""),
    ("charlson", {"age": 49}, 0, ""),
    ("charlson", {"age": 72, "infarction": True, "diabetes": "end-organ"}, 6, ""),
    ("charlson", {"age": 80, "aids": True, "tumor": "metastatic", "liver": "severe"}, 19, ""),
    ("sofa", SOFA, 0, ""),
    (
        "sofa",
        SOFA | {"pao2": 80, "fio2": 50, "support": 1, "platelets": 90, "bilirubin": 2, "norepinephrine": 0.1}
        | {"gcs": 12, "creatinine": 3.5},
        15,
        "",
    ),  # 3 + 2 + 2 + 3 + 2 + 3
    ("sofa", SOFA | {"pao2": 80, "fio2": 50}, 2, ""),  # without support no more than 2
    ("sofa", SOFA | {"systolic": 90, "diastolic": 59}, 1, ""),
    ("sofa", SOFA | {"urine": 199}, 4, ""),
    ("apache-ii", APACHE, 0, ""),
    ("apache-ii", APACHE | {"age": 45}, 2, ""),
    (
        "apache-ii",
        {"temperature": 39, "systolic": 80, "diastolic": 50, "heart_rate": 120, "respiratory_rate": 30, "fio2": 60}
        | {"pao2": 60, "paco2": 40, "ph": 7.2, "sodium": 155, "potassium": 6, "creatinine": 2, "hematocrit": 28}
        | {"acute_renal_failure": True, "wbc": 22, "gcs": 10, "age": 66, "chronic": "emergency"},
        43,
        "",
    ),  # 3 + 2 + 2 + 1 + 2 + 3 + 2 + 3 + 6 + 2 + 2 + 5 + 5 + 5
    ("fib-4", {"age": 50, "ast": 40, "alt": 25, "platelets": 200}, 2, "indeterminate"),
    ("fib-4", {"age": 65, "ast": 100, "alt": 100, "platelets": "200000 /uL"}, 3.25, "indeterminate"),
    ("child-pugh", PUGH, 5, "class A"),
    ("child-pugh", PUGH_2, 10, "class C"),
    ("child-pugh", PUGH_2 | {"ascites": "absent"}, 9, "class B"),
    ("child-pugh", PUGH_3, 15, "class C"),
    ("meld-na", MELD, 20, ""),
    ("meld-na", MELD | {"sodium": 125}, 28, ""),  # 20 + 15.84 - 7.92
    ("meld-na", MELD | {"sodium": 110}, 28, ""),
    ("meld-na", {"creatinine": 0.8, "bilirubin": 1, "inr": 1, "sodium": 140, "dialysis": "yes"}, 20, ""),
    ("meld-na", {"creatinine": 9, "bilirubin": 50, "inr": 9, "sodium": 140}, 40, ""),
    ("centor", CENTOR | {"age": 14}, 5, "high"),
    ("centor", CENTOR | {"age": 15}, 4, "high"),
    ("centor", CENTOR | {"age": 45, "temperature": 38}, 2, "intermediate"),
    ("feverpain", dict.fromkeys("fever no_cough early pus inflamed".split(), "yes"), 5, "62"),
    ("feverpain", {"fever": "yes"}, 1, "13"),
    ("sirs", {"temperature": 38.1, "heart_rate": 91, "respiratory_rate": 21, "wbc": 12.1}, 4, "met (2"),
    ("sirs", {"temperature": 36, "heart_rate": 80, "respiratory_rate": 16, "wbc": 8, "bands": 11}, 1, "not met"),
    ("sirs", {"temperature": 35.9, "heart_rate": 80, "respiratory_rate": 16, "wbc": 4}, 1, "not met"),
    ("psi", PSI | {"age": 50}, 50, "class I ("),
    ("psi", PSI | {"age": 51}, 51, "class II"),
    ("psi", PSI | {"age": 50, "mental": True}, 70, "class II"),
    ("psi", PSI | {"age": 81, "sex": "female"}, 71, "class III"),
    ("psi", PSI | {"age": 101, "sex": "female"}, 91, "class IV"),
    ("psi", PSI | PSI_ALL | {"age": 65}, 350, "class V"),
    ("homa-ir", {"insulin": 10, "glucose": 90}, 2.222, ""),
    ("homa-ir", {"insulin": "5 μU/mL", "glucose": "4.5 mmol/L"}, 1, ""),
    ("ldl-friedewald", {"cholesterol": 200, "hdl": 50, "triglycerides": 150}, 120, ""),
    ("ldl-friedewald", {"cholesterol": 200, "hdl": 50, "triglycerides": 400}, 70, ""),
    ("due-date", {"lmp": "2023-01-10"}, "2023-10-17", ""),
    ("due-date", {"lmp": "2023-01-10", "cycle": 35}, "2023-10-24", ""),
    ("due-date", {"lmp": "2023-01-10", "cycle": "4 weeks 2 days"}, "2023-10-19", ""),
    ("conception-date", {"lmp": "2024-02-20"}, "2024-03-05", ""),  # a leap year
    ("gestational-age", {"lmp": "2023-01-01", "today": "2023-10-08"}, "40 weeks, 0 days", "full term"),
    ("gestational-age", {"lmp": "2023-01-01", "today": "2023-04-08"}, "13 weeks, 6 days", "first"),
    ("gestational-age", {"lmp": "2023-01-01", "today": "2023-04-09"}, "14 weeks, 0 days", "second"),
    ("cockcroft-gault", COCKCROFT | {"sex": "male"}, 100, ""),
    ("cockcroft-gault", COCKCROFT | {"sex": "female"}, 80.87, ""),  # ideal 68.5 kg: 100 * 68.5 / 72 * 0.85
    ("cockcroft-gault", COCKCROFT | {"sex": "male", "weight": 113}, 123.61, ""),  # adjusted 89 kg
    ("ckd-epi-2021", {"age": 60, "sex": "male", "creatinine": 1.8}, 42.56, "G3b"),  # 142 * 2^-1.2 * 0.9938^60
    ("mdrd", {"age": 50, "sex": "male", "creatinine": 1}, 79.10, "G2"),  # 175 * 50^-0.203
    ("mdrd", {"age": 50, "sex": "male", "creatinine": 1, "black": "yes"}, 95.87, "G1"),
    ("fena", {"sodium": 140, "creatinine": 2, "urine_sodium": 20, "urine_creatinine": 100}, 0.2857, "prerenal"),
    ("fena", {"sodium": 140, "creatinine": 2, "urine_sodium": 140, "urine_creatinine": 100}, 2, "indeterminate"),
    ("free-water-deficit", {"age": 50, "sex": "male", "weight": 70, "sodium": 160}, 6, ""),
    ("free-water-deficit", {"age": 65, "sex": "female", "weight": 70, "sodium": 160}, 4.5, ""),
    ("free-water-deficit", {"age": 17, "sex": "female", "weight": 70, "sodium": 140}, 0, "no deficit"),
    ("wells-pe", PE | {"heart_rate": 101}, 12.5, "high"),
    ("wells-pe", {"heart_rate": 101, "likeliest": "no", "malignancy": True, "previous": True}, 4, "unlikely"),
    ("wells-dvt", DVT, 9, "likely (2 or more); high"),
    ("wells-dvt", {"alternative": True}, -2, "unlikely"),
    ("wells-dvt", {"leg": True, "calf": True}, 2, "likely (2"),
    ("perc", {"age": 49, "heart_rate": 99, "spo2": 95}, 0, "none met"),
    ("perc", {"age": 50, "heart_rate": 100, "spo2": 94, "hormones": True}, 4, "not ruled out"),
    ("caprini", {"age": 40, "bmi": 25}, 0, "low"),
    ("caprini", {"age": 41, "bmi": 25.1}, 2, "moderate"),
    ("caprini", {"age": 75, "bmi": 26, "surgery": "arthroplasty"}, 9, "highest"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "values", "expected", "said"), EXAMPLES)
def test_a_worked_example(name: str, values: dict[str, object], expected: object, said: str) -> None:
    made = calculate(name, values)
    assert made.value == (pytest.approx(expected, abs=0.0101) if isinstance(expected, float | int) else expected)
    assert made.interpretation.startswith(said) or said in made.interpretation


@pytest.mark.parametrize(
    ("values", "percent", "within"),
    [
        # ATP III's own tables of points: 6 + 3 - 1 + 0 = 8 points, 4 %; 10 + 3 + 2 + 1 + 5 = 21 points, 14 %.
        ({"age": 50, "sex": "male", "cholesterol": 200, "hdl": 50, "systolic": 120}, 4, 1),
        (
            {"age": 60, "sex": "female", "cholesterol": 240, "hdl": 45, "systolic": 140, "treated": 1, "smoker": 1},
            14,
            2,
        ),
    ],
)
def test_framingham_agrees_with_the_tables_of_points(values: dict[str, object], percent: float, within: float) -> None:
    assert calculate("framingham-hard-chd", values).value == pytest.approx(percent, abs=within)


@pytest.mark.parametrize(("age", "survival"), [(40, 98.3), (50, 95.9), (80, 53.4)])
def test_charlson_gives_the_survival_of_its_score(age: int, survival: float) -> None:
    """0.983^(e^(0.9 * score)): scores 0, 1 and 4."""
    assert dict(calculate("charlson", {"age": age}).steps)["estimated ten-year survival (%)"] == survival


def test_a_delta_gap_shows_the_one_that_wrenn_meant() -> None:
    """Anion gap 30, so a rise of 18; bicarbonate has fallen by 14: 4."""
    assert [value for _, value in calculate("delta-gap", GAP).steps] == [30, 4]


def test_cockcroft_gault_shows_the_clearance_as_published() -> None:
    steps = dict(calculate("cockcroft-gault", COCKCROFT | {"sex": "male", "weight": 144}).steps)
    assert steps["with the actual weight, as published in 1976 (mL/min)"] == 200
