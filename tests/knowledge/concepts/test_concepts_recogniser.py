"""Findings of texts and cases with the real names: ambiguity, measurements, dialogue, records."""

import pytest

from osler.errors import UsageError
from osler.knowledge.concepts.index import Index
from osler.knowledge.concepts.measurements import measurements
from osler.knowledge.concepts.recogniser import findings_of, index_key, lay_names, load_recogniser
from osler.knowledge.concepts.tables import data_rows
from osler.knowledge.graph import load_graph
from osler.nouns import Finding
from osler.record import read_text
from osler.record.case import Case, Code, Condition, Document, Observation, Patient, Turn


def hpo(text: str) -> dict[str, Finding]:
    return {finding.code: finding for finding in load_recogniser(("hpo",)).find(text)}


def a_case(**parts: object) -> Case:
    return Case.model_validate(
        {"kind": "note", "digest": "0", "language": "en", "patient": Patient(source="note"), **parts}
    )


def test_a_note() -> None:
    text = "54M with chest pain and SOB, denies n/v. PMH: HTN. FHx: MI (father). Takes metformin."
    findings = load_recogniser().find(text, "note-1")
    said = {(f.code, f.status, f.experiencer, f.time) for f in findings}
    assert ("HP:0100749", "present", "patient", "current") in said
    assert ("HP:0002094", "present", "patient", "current") in said
    assert ("HP:0002017", "absent", "patient", "current") in said
    assert ("HP:0000822", "present", "patient", "historical") in said
    assert ("HP:0001658", "present", "family", "current") in said
    assert any(f.label == "Metformin" for f in findings)
    assert all(f.source == "note-1" and text[f.start : f.end] == f.text for f in findings)
    assert findings == sorted(findings, key=lambda f: (f.start, -f.end, f.code))


def test_a_chinese_note() -> None:
    found = hpo("患者3天前发热，体温39.2℃，伴咳嗽、气促，否认胸痛。既往高血压10年。血钾6.1mmol/L。")
    assert {code: (f.status, f.time) for code, f in found.items()} == {
        "HP:0001945": ("present", "current"),
        "HP:0012735": ("present", "current"),
        "HP:0002094": ("present", "current"),
        "HP:0100749": ("absent", "current"),
        "HP:0000822": ("present", "historical"),
        "HP:0002153": ("present", "current"),
    }


@pytest.mark.parametrize(
    "text",
    [
        "All of them saw the cat and an ad, a map and a tan.",
        "The mass of the nail was set to be low. It is a short run.",
        "PE: well. Skin: warm. CT on 1 May. 10 tablets, 3 mg.",
    ],
)
def test_everyday_words_are_no_findings(text: str) -> None:
    assert load_recogniser().find(text) == []


@pytest.mark.parametrize(
    ("text", "code", "value"),
    [
        ("potassium 6.1 mmol/L", "HP:0002153", 6.1),
        ("K 6.1", "HP:0002153", 6.1),
        ("K+ was 2.4 mEq/L", "HP:0002900", 2.4),
        ("SpO2 84% on room air", "HP:0012418", 84),
        ("temp 39.2", "HP:0001945", 39.2),
        ("temp 102.5 F", "HP:0001945", 102.5),
        ("BP 82/40", "HP:0002615", 82),
        ("HR 135, regular", "HP:0001649", 135),
        ("Hb 7.2 g/dL", "HP:0001903", 7.2),
        ("haemoglobin of 72 g/L", "HP:0001903", 72),
        ("glucose 350 mg/dL", "HP:0003074", 350),
        ("creatinine 1.8 mg/dL", "HP:0003259", 1.8),
        ("platelets 40", "HP:0001873", 40),
        ("WBC 18.5 x10^9/L", "HP:0001974", 18.5),
        ("血压82/40mmHg", "HP:0002615", 82),
    ],
)
def test_measurements_in_text(text: str, code: str, value: float) -> None:
    found = measurements(text)
    assert [(one.code, one.value) for one in found] == [(code, value)]
    assert load_recogniser(("hpo",)).find(text)[0].unit


@pytest.mark.parametrize(
    "text",
    [
        "potassium 4.1 mmol/L",
        "potassium chloride 20 mEq daily",
        "potassium 20 mEq daily",
        "K 3.5-5.1",
        "glucose 5% infusion",
        "calcium 500 mg",
        "CA 125",
        "temp 36.8, HR 80, BP 120/80",
        "in 2 hr 30 min",
        "T 12/03",
        "glucose 15 in the evening of 1 p 3",
        "vitamin K 10",
    ],
)
def test_numbers_that_are_no_abnormal_measurement(text: str) -> None:
    assert [one for one in measurements(text) if one.code != "HP:0003074"] == []


def test_ranges_for_adults_are_not_used_for_children() -> None:
    assert measurements("HR 135", adult=False) == []
    assert measurements("temp 39.2", adult=False)


def test_a_reply_decides_what_was_asked() -> None:
    turns = [
        ("doctor", "Any fever or chills?"),
        ("patient", "No."),
        ("doctor", "Have you had a cough?"),
        ("patient", "Yeah, and my chest hurts. My mother has asthma."),
        ("doctor", "Do you have headaches?"),
        ("patient", "The weather was nice."),
    ]
    text, spans = "", []
    for speaker, said in turns:
        spans.append(Turn(speaker=speaker, start=len(text), end=len(text) + len(said)))
        text += said + "\n"
    document = Document(source="d", id="d1", text=text, language="en", turns=spans)
    found = {f.code: f for f in findings_of(a_case(documents=[document]), load_recogniser(("hpo",)))}
    assert {code: f.status for code, f in found.items()} == {
        "HP:0001945": "absent",
        "HP:0025143": "absent",
        "HP:0012735": "present",
        "HP:0100749": "present",
        "HP:0002099": "present",
        "HP:0002315": "uncertain",
    }
    assert found["HP:0002099"].experiencer == "family"
    assert all(text[f.start : f.end] == f.text and f.source == "d1" for f in found.values())


@pytest.mark.parametrize(
    ("question", "reply", "status", "value"),
    [
        ("Any fever?", "39.2 last night, with shaking chills.", "present", 39.2),
        ("Have you had a fever?", "Yes, about 38.9 C.", "present", 38.9),
        ("Any fever?", "Um, 103 F yesterday.", "present", 103),
        ("发热吗？", "昨晚39.5度。", "present", 39.5),
        ("Any fever?", "2 days ago I felt odd.", "uncertain", None),
        ("Any fever?", "No, 36.8.", "absent", None),
    ],
)
def test_a_number_answers_what_is_measured(question: str, reply: str, status: str, value: float | None) -> None:
    document = read_text(f"Doctor: {question}\nPatient: {reply}\n", kind="dialogue").documents[0]
    fever = next(f for f in findings_of(a_case(documents=[document]), load_recogniser()) if f.code == "HP:0001945")
    assert (fever.status, fever.value) == (status, value)


def test_inheritance_and_onset_are_no_findings_of_a_patient() -> None:
    text = "Autosomal dominant inheritance, congenital onset. Seizures."
    assert {f.code for f in load_recogniser(("hpo",)).find(text)} == {"HP:0000006", "HP:0003577", "HP:0001250"}
    document = Document(source="d", id="d1", text=text, language="en")
    found = findings_of(a_case(documents=[document]), load_recogniser(("hpo",)))
    assert {f.code for f in found} == {"HP:0001250"}


def test_conditions_and_observations_of_a_record() -> None:
    case = a_case(
        kind="fhir",
        conditions=[
            Condition(source="c1", label="Hypertension", status="active"),
            Condition(source="c2", label="Pneumonia (disorder)", status="resolved"),
            Condition(source="c3", label="Gout", verification="refuted"),
            Condition(source="c4", label="as coded", codes=[Code(code="HP:0001250")]),
        ],
        observations=[
            Observation(source="o1", label="Potassium", codes=[Code(code="2823-3")], value=6.3, unit="mmol/L"),
            Observation(source="o2", label="Hemoglobin", value=13.0, unit="g/dL", low=13.5, high=17.5),
            Observation(source="o3", label="Glucose [Mass/volume] in Urine", value=350, unit="mg/dL"),
            Observation(source="o4", label="Sodium", value=128, unit="mmol/L", time="2020-01-01T00:00:00Z"),
            Observation(source="o5", label="Sodium", value=140, unit="mmol/L", time="2021-01-01T00:00:00Z"),
        ],
    )
    found = {(f.code, f.source): f for f in findings_of(case, load_recogniser(("hpo",)))}
    assert found["HP:0000822", "c1"].time == "current"
    assert found["HP:0002090", "c2"].time == "historical"
    assert found["HP:0001997", "c3"].status == "absent"
    assert found["HP:0001250", "c4"].label == "Seizure"
    assert (found["HP:0002153", "o1"].value, found["HP:0002153", "o1"].unit) == (6.3, "mmol/L")
    assert ("HP:0001903", "o2") in found
    assert not any(source in ("o3", "o4", "o5") for _, source in found)


def test_lay_names_are_many_and_stand_for_terms_that_exist() -> None:
    graph = load_graph()
    names = lay_names()
    assert len({lay.name for lay in names}) > 1200
    assert [lay for lay in names if (node := graph.find(lay.code)) is None or node.id != lay.code] == []
    assert [lay for lay in names if graph.node(lay.code).label != lay.label] == []


def test_lay_names_are_found_as_what_they_say() -> None:
    matcher = load_recogniser().matcher
    for lay in lay_names():
        assert any(m.code == lay.code and m.text == lay.name for m in matcher.find(lay.name, nested=True)), lay


def test_the_shipped_index_is_that_of_the_shipped_names() -> None:
    from importlib.resources import as_file, files

    with as_file(files("osler.knowledge.concepts").joinpath("data/names.npz")) as file:
        assert len(Index.load(file, index_key(load_graph())).arrays["keys"]) > 100_000


def test_unknown_vocabulary() -> None:
    with pytest.raises(UsageError, match="genes"):
        load_recogniser(("hpo", "genes"))
    assert load_recogniser(("all",)).vocabularies == ("hpo", "disease", "drug")


def test_data_files_have_no_stray_columns() -> None:
    for name, columns in (("lay_and_abbreviations.tsv", {4}), ("cues_en.tsv", {3, 4}), ("cues_zh.tsv", {3, 4})):
        assert {len(row) for row in data_rows(name)} <= columns, name
