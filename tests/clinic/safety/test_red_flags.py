"""Red flags: every rule on notes of its own, positive and negated; the data's form; values; what context keeps out."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from osler.clinic.safety import red_flags
from osler.clinic.safety.rules import load_rules
from osler.knowledge.graph import Graph, load_graph
from osler.nouns import Evidence, Finding, RedFlag
from osler.record import read_text
from osler.record.case import Case, Code, Condition, Document, Observation, Patient
from osler.text import language_of

HERE = Path(__file__).parent


def rows(name: str) -> list[tuple[str, str, str]]:
    """(rule, "+" or "-", note) of a table; on a "-" note no rule at all may fire."""
    lines = (HERE / name).read_text(encoding="utf-8").splitlines()
    return [(rule, sign, note) for rule, sign, note in (line.split("\t") for line in lines)]


NOTES = rows("notes.tsv") + rows("hard_notes.tsv") + rows("narratives.tsv") + rows("voices.tsv")


@pytest.fixture(scope="module")
def graph() -> Graph:
    return load_graph()


def case_of(note: str, **parts: object) -> Case:
    language = language_of(note)
    documents = [Document(source="note", id="note", text=note, language=language)] if note else []
    patient = parts.pop("patient", Patient(source="note"))
    return Case(kind="note", digest="0" * 64, language=language, patient=patient, documents=documents, **parts)


def slugs(flags: list[RedFlag]) -> set[str]:
    return {i.removeprefix("guideline:") for flag in flags for i in flag.evidence if i.startswith("guideline:")}


def raised(note: str, graph: Graph, **parts: object) -> set[str]:
    return slugs(red_flags(case_of(note, **parts), [], graph)[0])


@pytest.mark.parametrize(
    ("rule", "sign", "note"), NOTES, ids=[f"{n}-{rule}{sign}" for n, (rule, sign, _) in enumerate(NOTES)]
)
def test_notes_of_every_rule(rule: str, sign: str, note: str, graph: Graph) -> None:
    found = raised(note, graph)
    if sign == "+":
        assert rule in found
    else:
        assert not found


def test_every_rule_has_a_positive_and_a_negated_note() -> None:
    rules = {rule.id for rule in load_rules().rules}
    assert len(rules) >= 60
    for sign in "+-":
        assert rules == {rule for rule, one, _ in rows("notes.tsv") if one == sign}


def test_rules_are_complete_and_cited() -> None:
    book = load_rules()
    assert len({rule.id for rule in book.rules}) == len(book.rules)
    for rule in book.rules:
        assert rule.source.strip() and 1990 <= rule.year <= 2026, rule.id
        assert rule.action.endswith((".", "?")) and rule.action_zh and rule.label_zh, rule.id
        assert "http" not in rule.source, rule.id


def test_codes_of_features_are_live_terms_under_their_own_label(graph: Graph) -> None:
    terms = [term for feature in load_rules().features.values() for term in feature.hpo]
    assert len(terms) >= 40
    for term in terms:
        code, label = term.split(" ! ")
        node = graph.node(code)
        assert node.id == code and node.label == label and node.kind == "phenotype"


def test_no_feature_is_empty_or_unused() -> None:
    from osler.clinic.safety.conditions import names

    book = load_rules()
    used = {name.name for condition in book.conditions.values() for name in names(condition)} | {"alarm"}
    for name, feature in book.features.items():
        assert feature.en or feature.zh or feature.when or feature.hpo, name
        assert name in used, name


def _variants() -> Iterator[tuple[str, bool]]:
    yield "35M wants to kill himself.", True
    yield "35M denies wanting to kill himself.", False
    yield "His brother wanted to kill himself; he himself is content.", False
    yield "Told to call if she ever wants to kill herself.", False
    yield "否认自杀念头，情绪平稳。", False


@pytest.mark.parametrize(("note", "expected"), list(_variants()))
def test_context_decides(note: str, expected: bool, graph: Graph) -> None:
    assert ("suicidal-intent" in raised(note, graph)) is expected


def test_a_finding_of_the_record_counts_with_its_descendants(graph: Graph) -> None:
    case = case_of("", patient=Patient(source="Patient/1", age="P40D"))
    fever = Finding(code="HP:0001955", label="Unexplained fevers", source="Condition/1")
    assert slugs(red_flags(case, [fever], graph)[0]) == {"fever-infant-under-3-months"}
    for other in ({"status": "absent"}, {"experiencer": "family"}, {"time": "historical"}):
        assert red_flags(case, [fever.model_copy(update=other)], graph)[0] == []


def test_observations_count_only_when_newest_and_recent(graph: Graph) -> None:
    def potassium(value: float, time: str) -> Observation:
        code = Code(system="LOINC", code="6298-4")
        return Observation(
            source=f"Observation/{time}", label="Potassium", codes=[code], value=value, unit="mmol/L", time=time
        )

    high, normal = potassium(7.1, "2024-05-01T08:00:00Z"), potassium(4.4, "2024-05-01T12:00:00Z")
    alone = case_of("", observations=[high], reference_time="2024-05-01T12:00:00Z")
    flags, evidence = red_flags(alone, [], graph)
    assert slugs(flags) == {"hyperkalaemia"} and "Observation/2024-05-01T08:00:00Z" in {item.id for item in evidence}
    assert (
        red_flags(case_of("", observations=[normal, high], reference_time="2024-05-01T12:00:00Z"), [], graph)[0] == []
    )
    assert red_flags(case_of("", observations=[high], reference_time="2024-09-01T12:00:00Z"), [], graph)[0] == []


def test_an_old_document_is_not_today(graph: Graph) -> None:
    text = "26M says he will hang himself tonight."
    document = Document(source="d", id="d", text=text, language="en", time="2020-01-01T00:00:00Z")
    base = case_of("").model_copy(update={"documents": [document], "reference_time": "2024-01-01T00:00:00Z"})
    assert red_flags(base, [], graph)[0] == []
    assert slugs(red_flags(base.model_copy(update={"reference_time": "2020-01-02T00:00:00Z"}), [], graph)[0])


def test_flags_are_sorted_explained_and_backed_by_evidence(graph: Graph) -> None:
    note = "58M on warfarin fell and hit his head. Crushing chest pain into the left arm, sweating. ECG: ST elevation."
    flags, evidence = red_flags(case_of(note), [], graph)
    assert [flag.urgency for flag in flags] == sorted(
        (flag.urgency for flag in flags), key=["immediate", "urgent", "soon"].index
    )
    assert {"acute-coronary-syndrome", "head-injury-anticoagulant"} <= slugs(flags)
    by_id: dict[str, Evidence] = {item.id: item for item in evidence}
    for flag in flags:
        assert flag.because and all(words in note for words in flag.because)
        assert {by_id[i].kind for i in flag.evidence} == {"passage", "record"}
        for item in (by_id[i] for i in flag.evidence if by_id[i].kind == "record"):
            assert note[item.source.start : item.source.end] == item.text


def test_labels_follow_the_language(graph: Graph) -> None:
    flags, _ = red_flags(case_of("男，19岁，右睾丸突发剧痛2小时，提睾反射消失。"), [], graph, "zh")
    assert [flag.label for flag in flags] == ["疑似睾丸扭转"]


def test_an_empty_case_has_no_flag_and_does_not_fail(graph: Graph) -> None:
    assert red_flags(case_of(""), [], graph) == ([], [])
    case = case_of("", conditions=[Condition(source="Condition/1", label="Essential hypertension")])
    assert red_flags(case, [], graph)[0] == []


def test_a_doctors_question_is_no_symptom_until_answered(graph: Graph) -> None:
    asked = "Doctor: Do you have crushing chest pain into your left arm, and sweating?\nPatient: {}\n"
    for reply, expected in (("No.", False), ("Yes.", True), ("I came by bus.", False)):
        case = read_text(asked.format(reply), kind="dialogue")
        assert ("acute-coronary-syndrome" in slugs(red_flags(case, [], graph)[0])) is expected, reply


def test_an_earlier_not_does_not_deny_a_phrase_with_its_own_verb_or_negation(graph: Graph) -> None:
    note = (
        "Weeks of back pain and sciatica; she has no feeling when she wipes, and cannot tell when her bladder is full."
    )
    assert "cauda-equina" in raised(note, graph)
    assert "cauda-equina" not in raised(
        "Back pain and sciatica. Denies that she cannot pass urine, no saddle numbness.", graph
    )
    assert "encephalitis" in raised("Feverish for three days, did not know his own children and had a fit.", graph)


@pytest.mark.parametrize(
    ("note", "rule", "there"),
    [
        ("Allergies: penicillin (hives).\nSOB since Monday. BP 92/54, SpO2 86%.", "anaphylaxis", False),
        ("既往史：青霉素过敏（皮疹）。查体：BP 92/58mmHg，SpO2 88%，气促。", "anaphylaxis", False),
        (
            "Stung by a wasp 20 minutes ago, known allergy: wasps (hives then). Now urticaria, wheeze, BP 80/40.",
            "anaphylaxis",
            True,
        ),
        (
            "Telephone: mum calling re 7 week old baby girl, hot to touch since last night, temp 38.4 axillary.",
            "fever-infant-under-3-months",
            True,
        ),
    ],
)
def test_known_allergies_and_who_calls(note: str, rule: str, there: bool, graph: Graph) -> None:
    assert (rule in raised(note, graph)) is there


def test_a_flag_that_a_better_supported_one_explains_falls(graph: Graph) -> None:
    """A wheeze, a low saturation and fast breathing are of the lungs full of water here, not of an asthma beside it."""
    note = "Woke gasping, bolt upright, frothy pink sputum, bat wing shadowing, wheeze. RR 38, SpO2 82%, HR 124."
    assert "acute-pulmonary-oedema" in raised(note, graph) and "severe-asthma" not in raised(note, graph)
    shock = "Pneumonia. After 3 litres of fluid BP 78/40 on noradrenaline, lactate 6, confused, T 39.4."
    assert {"septic-shock", "sepsis"} <= raised(shock, graph)


def test_one_missing_piece_is_forgiven_where_the_patient_is_unwell(graph: Graph) -> None:
    unwell = "Silent chest, cannot talk, no relief from the salbutamol, RR 30, HR 138."
    assert raised(unwell, graph) == {"severe-asthma"}
    assert not raised("Silent chest once as a child, no relief needed from the salbutamol for years, RR 14.", graph)


@pytest.mark.parametrize(
    ("text", "measure", "value"),
    [
        ("84/40, HR 128, sats 89", "sbp", 84),
        ("my pressure was 168 over 112", "dbp", 112),
        ("BP 50/- and falling", "sbp", 50),
        ("量血压高压只有八十八", "sbp", 88),
        ("心跳一百二十多", "hr", 120),
        ("晚上三十九度二", "temp", 39.2),
        ("烧到39度半", "temp", 39.5),
        ("MAP 52 on noradrenaline", "map", 52),
    ],
)
def test_values_as_people_say_them(text: str, measure: str, value: float) -> None:
    from osler.clinic.safety.vitals import readings

    assert value in [reading.value for reading in readings(text, "note") if reading.measure == measure]


def test_a_caller_speaks_of_the_patient(graph: Graph) -> None:
    call = "My husband's been stung by a wasp ten minutes ago, he's come up in welts and went down on the floor."
    assert "anaphylaxis" in raised(call, graph)
    assert not raised("My husband was once stung by a wasp and went down in welts. I have a cough.", graph)
