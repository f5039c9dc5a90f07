"""The FHIR reader on public bundles and on planted trouble."""

import base64
import gzip
import json
import re
from pathlib import Path

import pytest
from fhir_samples import PATIENT, Json, bundle, concept, condition, observation, read_bundle, reasons

from osler.errors import InputError
from osler.record import Case, read

PARTS = ("conditions", "medications", "allergies", "observations", "procedures", "encounters", "documents")


def entries_read(case: Case) -> set[int]:
    """Indices of the bundle's entries that some part of the case, or a merged duplicate, comes from."""
    parts = [case.patient, *(part for name in PARTS for part in getattr(case, name))]
    places = [place for part in parts for place in (part.source, *part.duplicates)]
    return {int(re.match(r"Bundle\.entry\[(\d+)\]", place)[1]) for place in places}  # type: ignore[index]


def whole_unread(case: Case) -> int:
    """How many whole resources the report counts."""
    return sum(row.count for row in case.unread if re.search(r"resource\(\w+\) x \d+$", row.path))


def synthea(shared: Path) -> list[Path]:
    return sorted((shared / "notes" / "synthea_fhir").glob("*.json.gz"))


def test_every_synthea_entry_is_read_or_reported(shared: Path) -> None:
    files = synthea(shared)
    assert len(files) == 12
    for file in files:
        entries = json.loads(gzip.decompress(file.read_bytes()))["entry"]
        case = read(file)
        assert len(entries_read(case)) + whole_unread(case) == len(entries), file.name


def test_synthea_counts_and_values_agree_with_the_source(shared: Path) -> None:
    for file in synthea(shared):
        resources = [entry["resource"] for entry in json.loads(gzip.decompress(file.read_bytes()))["entry"]]
        case = read(file)
        of = {
            kind: [one for one in resources if one["resourceType"] == kind]
            for kind in {r["resourceType"] for r in resources}
        }
        # Merged duplicates count with the part that took them in.
        count = lambda parts: sum(1 + len(part.duplicates) for part in parts)  # noqa: E731
        assert count(case.conditions) == len(of["Condition"])
        assert count(case.medications) == len(of.get("MedicationRequest", []))
        assert count(case.encounters) == len(of["Encounter"])
        assert count(case.procedures) == len(of["Immunization"]) + len(of.get("Procedure", []))
        measured = [m for one in of["Observation"] for m in one.get("component", [one])]
        assert count(case.observations) == len(measured)
        by_source = {place: part for part in case.observations for place in (part.source, *part.duplicates)}
        for index, one in enumerate(resources):
            if "valueQuantity" in one:
                part = by_source[f"Bundle.entry[{index}].resource"]
                assert part.value == one["valueQuantity"]["value"]
                assert part.unit == one["valueQuantity"]["code"]
                assert part.time == one["effectiveDateTime"]
        (patient,) = of["Patient"]
        assert (case.patient.sex, case.patient.birth_date) == (patient["gender"], patient["birthDate"])
        assert case.patient.age and re.fullmatch(r"P\d+Y", case.patient.age)


def test_blood_pressure_is_split_into_its_components(shared: Path) -> None:
    pressures = [one for one in read(synthea(shared)[0]).observations if "Blood Pressure" in one.label]
    assert {one.label for one in pressures} == {"Systolic Blood Pressure", "Diastolic Blood Pressure"}
    assert all(one.unit == "mm[Hg]" and ".component[" in one.source and one.time for one in pressures)


def test_unread_is_the_same_every_time(shared: Path) -> None:
    assert read(synthea(shared)[0]) == read(synthea(shared)[0].read_bytes())


def test_custom_bundles_of_another_version(shared: Path) -> None:
    folder = shared / "notes" / "fhir_custom"
    with pytest.raises(InputError, match=r"two patients.*entry\[0\].*entry\[1\]"):
        read(folder / "diabetes.json")
    nest = read(folder / "nest_patient_data.json")
    # One SNOMED CT code stands on 22 conditions of this file: their names keep them apart; two are true repeats.
    assert len(nest.conditions) == 20 and sum(len(one.duplicates) for one in nest.conditions) == 2
    assert {one.status for one in nest.conditions} == {"active"}
    assert len(nest.medications) == 6 and nest.medications[0].current
    assert nest.encounters[0].kind == "inpatient" and nest.patient.name == "Francis Tomy"
    assert "Bundle.entry[*].resource(MedicationOrder) x 6" in reasons(nest)
    assert [one.kind for one in nest.documents].count("family history") == 2
    for number in (64, 67, 77):
        case = read(folder / f"hca-pat-{number}.json")
        assert len(case.conditions) == 1 and len(case.observations) == 6 and case.medications
        assert any(path.endswith("modifierExtension") for path in reasons(case))
        entries = json.loads((folder / f"hca-pat-{number}.json").read_bytes())["entry"]
        assert len(entries_read(case)) == len(entries)


def test_two_patients_are_refused_by_their_resources() -> None:
    other = {**PATIENT, "id": "p2", "identifier": []}
    with pytest.raises(
        InputError, match=r"bundle.json: two patients in one input: Bundle.entry\[0\].*Bundle.entry\[1\]"
    ):
        read_bundle(PATIENT, other)


@pytest.mark.parametrize(
    "reference", ["Patient/p2", "urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0", "https://a.org/Patient/p2"]
)
def test_a_resource_of_another_patient_is_refused(reference: str) -> None:
    with pytest.raises(InputError, match=r"two patients.*entry\[2\]\.resource\.subject"):
        read_bundle(PATIENT, observation(), observation(subject={"reference": reference}))


def test_two_subjects_without_patient_resources_are_refused() -> None:
    with pytest.raises(InputError, match="two patients"):
        read_bundle(observation(), observation(subject={"reference": "Patient/p2"}))
    assert read_bundle(observation(), condition()).patient.id == "p1"


def test_a_subject_by_identifier_must_be_this_patient() -> None:
    mine, foreign = ({"identifier": {"system": "urn:hospital", "value": value}} for value in ("17", "18"))
    assert len(read_bundle(PATIENT, observation(subject=mine)).observations) == 1
    with pytest.raises(InputError, match="two patients"):
        read_bundle(PATIENT, observation(subject=foreign))


def test_one_person_registered_twice_is_one_patient() -> None:
    case = read_bundle(
        PATIENT, {**PATIENT, "id": "p9"}, observation(), observation(subject={"reference": "Patient/p9"})
    )
    assert case.patient.duplicates == ["Bundle.entry[1].resource"]
    with pytest.raises(InputError, match="two patients"):
        read_bundle(PATIENT, {**PATIENT, "id": "p9", "birthDate": "1999-01-01"})


def test_what_is_about_something_else_is_not_the_patients() -> None:
    case = read_bundle(
        PATIENT,
        observation(subject={"reference": "Device/pump"}),
        observation(focus=[{"reference": "Patient/fetus"}]),
    )
    assert case.observations == []
    assert set(reasons(case)) >= {"Bundle.entry[1].resource.subject", "Bundle.entry[2].resource.focus"}


@pytest.mark.parametrize(
    "mistake",
    [
        observation(status="entered-in-error"),
        condition(verificationStatus={"coding": [{"code": "entered-in-error"}]}),
        {
            "resourceType": "MedicationStatement",
            "status": "entered-in-error",
            "medicationCodeableConcept": concept("X"),
        },
    ],
)
def test_entered_in_error_is_dropped_and_reported(mistake: Json) -> None:
    case = read_bundle(PATIENT, mistake)
    assert not any(getattr(case, name) for name in PARTS)
    assert "entered in error" in reasons(case)["Bundle.entry[1].resource"]


def test_a_correction_to_entered_in_error_takes_the_first_version_away() -> None:
    first = observation(id="o1", meta={"lastUpdated": "2020-03-01T00:00:00Z"})
    second = observation(id="o1", status="entered-in-error", meta={"lastUpdated": "2020-03-02T00:00:00Z"})
    assert read_bundle(PATIENT, second, first).observations == []


def test_refuted_conditions_and_things_not_done_keep_their_words() -> None:
    case = read_bundle(
        PATIENT,
        condition(verificationStatus={"coding": [{"code": "refuted"}]}),
        {"resourceType": "Procedure", "status": "not-done", "code": concept("Appendectomy")},
        {
            "resourceType": "MedicationRequest",
            "status": "active",
            "doNotPerform": True,
            "medicationCodeableConcept": concept("Aspirin"),
        },
        {
            "resourceType": "MedicationStatement",
            "status": "not-taken",
            "medicationCodeableConcept": concept("Warfarin"),
        },
    )
    assert case.conditions[0].verification == "refuted"
    assert case.procedures[0].status == "not-done"
    assert [one.current for one in case.medications] == [False, False]


def test_equal_parts_are_merged_and_differing_ones_kept() -> None:
    case = read_bundle(
        PATIENT,
        observation(),
        observation(id="again", interpretation=[{"coding": [{"code": "H"}]}]),
        observation(valueQuantity={"value": 6.0, "unit": "mmol/L"}),
        observation(interpretation=[{"coding": [{"code": "N"}]}]),
    )
    assert [one.duplicates for one in case.observations] == [["Bundle.entry[2].resource"], [], []]
    assert [one.interpretation for one in case.observations] == ["H", None, "N"]


def test_the_newer_version_of_a_resource_is_read() -> None:
    old = observation(id="o1", status="preliminary", meta={"versionId": "1"})
    new = observation(id="o1", meta={"versionId": "2"}, valueQuantity={"value": 4.1, "unit": "mmol/L"})
    case = read_bundle(PATIENT, new, old)
    assert [(one.value, one.duplicates) for one in case.observations] == [(4.1, ["Bundle.entry[2].resource"])]
    assert "newer" in reasons(case)["Bundle.entry[2].resource"]


def test_unknown_codes_become_null_with_their_path() -> None:
    case = read_bundle(
        {**PATIENT, "gender": "F"},
        observation(status="finished"),
        condition(clinicalStatus={"coding": [{"code": "aktiv"}]}),
        {
            "resourceType": "AllergyIntolerance",
            "code": concept("Penicillin"),
            "criticality": "severe",
            "category": ["drug"],
        },
    )
    assert case.patient.sex is case.observations[0].status is case.conditions[0].status is None
    assert case.allergies[0].criticality is case.allergies[0].kind is None
    assert set(reasons(case)) >= {
        "Bundle.entry[0].resource.gender",
        "Bundle.entry[1].resource.status",
        "Bundle.entry[2].resource.clinicalStatus",
        "Bundle.entry[3].resource.criticality",
        "Bundle.entry[3].resource.category",
    }


def test_wrong_types_cost_one_element_not_the_resource() -> None:
    case = read_bundle(
        PATIENT,
        observation(valueQuantity={"value": "5.9", "unit": "mmol/L"}, effectiveDateTime=7, category="laboratory"),
    )
    assert case.observations[0].value is case.observations[0].text is None
    assert "expected" in reasons(case)["Bundle.entry[1].resource.valueQuantity.value"]
    assert (
        "Bundle.entry[1].resource.effectiveDateTime" in reasons(case) and case.observations[0].category == "laboratory"
    )


def test_values_that_are_no_plain_numbers_stay_text() -> None:
    texts = [
        ({"valueQuantity": {"value": 5, "comparator": "<", "unit": "ng/mL"}}, "<5 ng/mL"),
        (
            {"valueRange": {"low": {"value": 30, "unit": "mL/min"}, "high": {"value": 60, "unit": "mL/min"}}},
            "30–60 mL/min",
        ),
        ({"valueRange": {"high": {"value": 30, "unit": "mL/min"}}}, "<=30 mL/min"),
        ({"valueBoolean": False}, "false"),
        ({"valueRatio": {"numerator": {"value": 1}, "denominator": {"value": 128}}}, "1:128"),
        ({"valueCodeableConcept": concept("Never smoker", "266919005")}, "Never smoker"),
        ({"valueString": " no growth "}, "no growth"),
    ]
    for value, text in texts:
        (one,) = read_bundle(
            PATIENT, {**{k: v for k, v in observation().items() if k != "valueQuantity"}, **value}
        ).observations
        assert (one.value, one.text) == (None, text)
    absent = {k: v for k, v in observation(dataAbsentReason=concept("Not Performed")).items() if k != "valueQuantity"}
    case = read_bundle(PATIENT, absent)
    assert case.observations[0].value is None and "Not Performed" in reasons(case)["Bundle.entry[1].resource"]


def test_reference_ranges_in_another_unit_are_not_used() -> None:
    fits = [{"low": {"value": 3.5, "unit": "mmol/L"}, "high": {"value": 5.1, "unit": "mmol/L"}}]
    other = [{"low": {"value": 14, "unit": "mg/dL"}}]
    good, bad = read_bundle(
        PATIENT,
        observation(referenceRange=fits),
        observation(issued="2020-03-02", effectiveDateTime=None, referenceRange=other),
    ).observations
    assert (good.low, good.high, bad.low) == (3.5, 5.1, None)


def test_units_are_ucum_or_reported() -> None:
    case = read_bundle(
        PATIENT,
        observation(valueQuantity={"value": 120, "unit": "mmHg"}),
        observation(valueQuantity={"value": 3, "unit": "glasses"}),
    )
    assert [one.unit for one in case.observations] == ["mm[Hg]", "glasses"]
    assert any("'glasses' is not declared as UCUM" in reason for reason in reasons(case).values())


def test_times_keep_their_zone_and_bad_ones_are_reported() -> None:
    case = read_bundle(
        PATIENT,
        observation(),
        observation(effectiveDateTime="2020-02-30"),
        observation(effectiveDateTime="2016-01-06T20:18:00"),
    )
    assert [one.time for one in case.observations] == ["2020-03-01T10:00:00+08:00", None, "2016-01-06T20:18:00"]
    assert case.reference_time == "2020-03-01T10:00:00+08:00" and case.patient.age == "P39Y"
    assert "no date" in reasons(case)["Bundle.entry[2].resource.effectiveDateTime"]
    assert any("without offset" in reason for reason in reasons(case).values())


def test_drugs_are_found_where_they_are_referred_to() -> None:
    drug = {"resourceType": "Medication", "id": "m1", "code": concept("Metformin 500 MG", "860975", "rxnorm")}
    mix = {
        "resourceType": "Medication",
        "id": "m2",
        "ingredient": [{"itemCodeableConcept": concept("Codeine")}, {"itemReference": {"reference": "Medication/m2"}}],
    }
    lone = {"resourceType": "Medication", "id": "m3", "code": concept("Unused")}

    def request(**drug: object) -> Json:
        return {"resourceType": "MedicationRequest", "status": "active", **drug}

    case = read_bundle(
        PATIENT,
        request(medicationReference={"reference": "urn:uuid:m1"}),
        request(medicationReference={"reference": "#x"}, contained=[{**drug, "id": "x", "code": concept("Contained")}]),
        request(medicationReference={"reference": "Medication/m2"}),
        request(medicationReference={"reference": "Medication/gone", "display": "Gone"}),
        request(medicationReference={"reference": "Medication/gone"}),
        drug,
        mix,
        lone,
        urls={6: "urn:uuid:m1"},
    )
    assert [one.label for one in case.medications] == ["Metformin 500 MG", "Contained", "Codeine", "Gone"]
    assert case.medications[0].codes[0].code == "860975"
    assert "not a Medication of the input" in reasons(case)["Bundle.entry[5].resource.medicationReference"]
    assert reasons(case)["Bundle.entry[*].resource(Medication) x 1"] == "nothing that was read refers to it"


def test_doses_are_written_out() -> None:
    dosage = {
        "asNeededBoolean": True,
        "route": concept("Oral"),
        "timing": {"repeat": {"frequency": 1, "period": 4, "periodUnit": "h"}},
        "doseAndRate": [{"doseQuantity": {"value": 1, "unit": "tablet"}}],
    }
    (one,) = read_bundle(
        PATIENT,
        condition(id="c1"),
        {
            "resourceType": "MedicationRequest",
            "status": "active",
            "medicationCodeableConcept": concept("Paracetamol"),
            "dosageInstruction": [dosage],
            "reasonReference": [{"reference": "Condition/c1"}],
        },
    ).medications
    assert (one.dose, one.route, one.reason) == ("1 tablet, 1 x per 4 h, as needed", "Oral", "Asthma")


def test_texts_become_documents() -> None:
    note = "Chest pain since noon. Kein Fieber: 38°."
    data = base64.b64encode(note.encode()).decode()
    case = read_bundle(
        PATIENT,
        {
            "resourceType": "DocumentReference",
            "status": "current",
            "date": "2020-01-02",
            "type": concept("Note"),
            "content": [
                {"attachment": {"contentType": "text/plain; charset=utf-8", "data": data}},
                {"attachment": {"contentType": "application/pdf", "data": data}},
                {"attachment": {"url": "Binary/b1"}},
                {"attachment": {"url": "https://elsewhere.org/x"}},
            ],
        },
        {
            "resourceType": "Binary",
            "id": "b1",
            "contentType": "text/html",
            "data": base64.b64encode(b"<p>Two <b>bold</b></p><script>no()</script><p>lines</p>").decode(),
        },
        {
            "resourceType": "DiagnosticReport",
            "status": "final",
            "code": concept("Chest X-ray"),
            "conclusion": "No pneumonia.",
        },
        {
            "resourceType": "DiagnosticReport",
            "status": "final",
            "code": concept("MRI"),
            "text": {"status": "generated", "div": "<div><p>Normal brain</p></div>"},
        },
        {
            "resourceType": "Composition",
            "status": "final",
            "title": "Discharge",
            "type": concept("Summary"),
            "section": [
                {
                    "title": "Course",
                    "text": {"div": "<div>Stable.</div>"},
                    "section": [{"title": "Plan", "text": {"div": "<div>Home.</div>"}}],
                }
            ],
        },
        observation(note=[{"text": "haemolysed sample"}]),
    )
    texts = {document.id: document.text for document in case.documents}
    assert texts["Bundle.entry[1].resource.content[0].attachment"] == note
    assert texts["Bundle.entry[1].resource.content[2].attachment"] == "Two bold\nlines"
    assert texts["Bundle.entry[3].resource.conclusion"] == "No pneumonia."
    assert texts["Bundle.entry[4].resource.text.div"] == "Normal brain"
    assert texts["Bundle.entry[6].resource.note[0].text"] == "haemolysed sample"
    discharge = next(document for document in case.documents if document.title == "Discharge")
    assert [(s.title, discharge.text[s.start : s.end]) for s in discharge.sections] == [
        ("Course", "Stable."),
        ("Plan", "Home."),
    ]
    assert "application/pdf" in reasons(case)["Bundle.entry[1].resource.content[1].attachment"]
    assert "elsewhere.org" in reasons(case)["Bundle.entry[1].resource.content[3].attachment.url"]


def test_results_that_live_only_in_their_report_are_read() -> None:
    report = {
        "resourceType": "DiagnosticReport",
        "status": "final",
        "code": concept("Panel"),
        "contained": [observation(id="r")],
    }
    (one,) = read_bundle(PATIENT, {**report, "result": [{"reference": "#r"}]}).observations
    assert one.source == "Bundle.entry[1].resource.contained[0]"


def test_cyclic_references_end() -> None:
    a = {"resourceType": "Medication", "id": "a", "ingredient": [{"itemReference": {"reference": "Medication/b"}}]}
    b = {"resourceType": "Medication", "id": "b", "ingredient": [{"itemReference": {"reference": "Medication/a"}}]}
    request = {
        "resourceType": "MedicationRequest",
        "medicationReference": {"reference": "Medication/a", "display": "Mix"},
    }
    assert read_bundle(PATIENT, a, b, request).medications[0].label == "Mix"


def test_old_shapes_do_not_turn_negations_round() -> None:
    me = {"patient": {"reference": "Patient/p1"}}
    case = read_bundle(
        {**PATIENT, "name": [{"family": ["van", "Dyke"], "given": ["Ann"]}]},
        {
            "resourceType": "MedicationStatement",
            **me,
            "status": "active",
            "wasNotTaken": True,
            "medicationCodeableConcept": concept("A"),
        },
        {
            "resourceType": "MedicationStatement",
            "status": "active",
            "taken": "n",
            "medicationCodeableConcept": concept("B"),
        },
        {"resourceType": "Immunization", **me, "status": "completed", "wasNotGiven": True, "vaccineCode": concept("C")},
        {"resourceType": "Procedure", "status": "completed", "notPerformed": True, "code": concept("D")},
        {
            "resourceType": "AllergyIntolerance",
            **me,
            "substance": concept("E"),
            "status": "refuted",
            "criticality": "CRITH",
            "category": "food",
        },
        {
            "resourceType": "Condition",
            **me,
            "code": concept("F"),
            "clinicalStatus": "active",
            "verificationStatus": "refuted",
            "category": concept("problem"),
        },
        {"resourceType": "MedicationRequest", "status": "active", "medication": {"concept": concept("G")}},
    )
    assert case.patient.name == "Ann van Dyke"
    assert [(one.label, one.status) for one in case.medications] == [
        ("A", "not-taken"),
        ("B", "not-taken"),
        ("G", "active"),
    ]
    assert {one.status for one in case.procedures} == {"not-done"}
    (allergy,) = case.allergies
    assert (allergy.verification, allergy.criticality, allergy.kind) == ("refuted", None, "food")
    assert "'CRITH'" in reasons(case)["Bundle.entry[5].resource.criticality"]
    assert (case.conditions[0].status, case.conditions[0].verification) == ("active", "refuted")


def test_other_ways_to_hand_over_resources() -> None:
    resources = [PATIENT, observation(), condition()]
    listed = read(json.dumps(resources).encode())
    lines = read("\n".join(json.dumps(one) for one in resources).encode())
    bare = {"resourceType": "Bundle", "entry": [{"fullUrl": None, "resource": one} for one in resources] + [None, 7]}
    assert [len(read(json.dumps(bare).encode()).conditions), len(lines.conditions)] == [1, 1]
    inner = json.loads(bundle(*resources))
    nested = read_bundle(inner)
    single = read(json.dumps(observation()).encode())
    assert [listed.observations[0].source, listed.conditions[0].source] == ["[1]", "[2]"]
    assert lines.observations[0].source == "line[2]"
    assert nested.conditions[0].source == "Bundle.entry[0].resource.entry[2].resource"
    assert (single.observations[0].source, single.patient.id) == ("Observation", "p1")
    assert listed.patient.age == lines.patient.age == nested.patient.age == "P39Y"


def test_bundles_nested_without_end_are_cut() -> None:
    inner: Json = json.loads(bundle(PATIENT))
    for _ in range(12):
        inner = json.loads(bundle(inner))
    with pytest.raises(InputError, match="nested more than"):
        read(json.dumps(inner).encode())


def test_nothing_to_read_is_an_error() -> None:
    for content in (
        {"resourceType": "Bundle", "type": "collection"},
        {"resourceType": "Claim"},
        {"resourceType": "Bundle", "entry": 3},
    ):
        with pytest.raises(InputError, match="nothing in this FHIR input could be read"):
            read(json.dumps(content).encode())


def test_pregnancy_status_is_the_newest() -> None:
    def asked(time: str, code: str) -> Json:
        answer = concept("answer", code, "http://snomed.info/sct")
        return {
            **{k: v for k, v in observation().items() if k != "valueQuantity"},
            "code": concept("Pregnancy status", "82810-3"),
            "effectiveDateTime": time,
            "valueCodeableConcept": answer,
        }

    assert (
        read_bundle(PATIENT, asked("2020-01-01", "77386006"), asked("2021-01-01", "60001007")).patient.pregnant is False
    )
    assert read_bundle(PATIENT, asked("2020-01-01", "77386006")).patient.pregnant is True
    later = read_bundle(PATIENT, asked("2018-01-01", "77386006"), observation())
    assert later.patient.pregnant is None and "not known" in reasons(later)["Bundle.entry[1].resource"]
    assert read_bundle(PATIENT, observation()).patient.pregnant is None


def test_times_later_than_now_do_not_date_the_case() -> None:
    appointment = {"resourceType": "Encounter", "status": "finished", "period": {"start": "2999-01-01"}}
    case = read_bundle(PATIENT, observation(), appointment)
    assert case.reference_time == "2020-03-01T10:00:00+08:00" and case.patient.age == "P39Y"
    assert "later than now" in reasons(case)["Bundle.entry[2].resource"]


def test_a_subject_by_query_must_be_this_patient() -> None:
    mine, foreign = ({"reference": f"Patient?identifier=urn:hospital|{value}"} for value in ("17", "18"))
    assert len(read_bundle(PATIENT, observation(subject=mine)).observations) == 1
    with pytest.raises(InputError, match="two patients"):
        read_bundle(PATIENT, observation(subject=foreign), urls={0: "urn:uuid:9"})


def test_two_names_without_a_patient_are_refused() -> None:
    jane, doe, john = ({"display": name} for name in ("Jane Doe", "DOE, Jane", "John Doe"))
    assert len(read_bundle(observation(subject=jane), condition(subject=doe)).conditions) == 1
    assert len(read_bundle(PATIENT, observation(subject=john)).observations) == 1
    with pytest.raises(InputError, match=r"two patients.*entry\[0\].*doe jane.*entry\[1\].*doe john"):
        read_bundle(observation(subject=jane), condition(subject=john))


def test_a_page_of_a_search_is_not_the_whole_record() -> None:
    page = {**json.loads(bundle(PATIENT, observation(), kind="searchset"))}
    page["link"] = [{"relation": "self", "url": "a"}, {"relation": "next", "url": "b"}]
    assert "not the whole record" in reasons(read(json.dumps(page).encode()))["Bundle.link"]


@pytest.mark.parametrize(
    ("declared", "place"),
    [
        ({"meta": {"profile": ["http://hl7.org/fhir/5.0/StructureDefinition/Bundle"]}}, "meta.profile"),
        ({"meta": {"profile": ["http://hl7.org/fhir/STU3/bundle.html"]}}, "meta.profile"),
        ({"fhirVersion": "1.0.2"}, "fhirVersion"),
    ],
)
def test_a_declared_other_version_is_refused(declared: Json, place: str) -> None:
    content = json.loads(bundle(PATIENT))
    with pytest.raises(InputError, match=rf"in.json: {place}: .*declares FHIR .*Osler reads R4"):
        read(json.dumps({**content, **declared}).encode(), name="in.json")
    profile = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-patient|5.0.1"
    fine = {**content, "fhirVersion": "4.0.1", "meta": {"profile": [profile]}}
    assert read(json.dumps(fine).encode()).patient.id == "p1"


def test_other_versions_are_read_and_said() -> None:
    case = read_bundle(
        PATIENT,
        {
            "resourceType": "AllergyIntolerance",
            "code": concept("Nuts"),
            "reaction": [{"manifestation": [{"concept": concept("Hives")}]}],
        },
        {"resourceType": "Encounter", "status": "completed", "actualPeriod": {"start": "2023-01-01"}},
        condition(assertedDate="2017-01-01"),
        {
            "resourceType": "MedicationStatement",
            "medication": {"reference": {"reference": "#m", "display": "Ibuprofen"}},
        },
    )
    assert case.allergies[0].reactions == ["Hives"] and case.medications[0].label == "Ibuprofen"
    assert (case.encounters[0].status, case.encounters[0].started) == (None, "2023-01-01")
    assert "'completed'" in reasons(case)["Bundle.entry[2].resource.status"]
    said = [path for path, reason in reasons(case).items() if "another FHIR version" in reason]
    assert [path.rsplit(".", 1)[1] for path in said] == ["actualPeriod x 1", "assertedDate x 1", "medication x 1"]


def test_family_history_is_a_text_about_relatives() -> None:
    onset = {"onsetAge": {"value": 45, "unit": "years"}}
    history = {"resourceType": "FamilyMemberHistory", "status": "completed", "relationship": concept("mother")}
    case = read_bundle(
        PATIENT,
        {**history, "condition": [{"code": concept("Breast cancer"), **onset}, {"code": concept("Asthma")}]},
        history,
    )
    (document,) = case.documents
    assert document.text == "Family history:\nmother: Breast cancer (onset 45 years), Asthma."
    (section,) = document.sections
    assert document.text[section.start : section.end] == "mother: Breast cancer (onset 45 years), Asthma."
    assert "without a condition" in reasons(case)["Bundle.entry[2].resource"]


def test_an_age_that_is_none_is_reported() -> None:
    ages = ({"value": 6, "unit": "a"}, {"value": 6.5, "unit": "a"}, {"value": 6, "unit": "fortnights"})
    case = read_bundle(PATIENT, *(condition(onsetDateTime=None, onsetAge=age, code=concept(str(age))) for age in ages))
    assert [one.onset for one in case.conditions] == ["P6Y", None, None]
    assert {path[-8:] for path, reason in reasons(case).items() if "no age" in reason} == {"onsetAge"}


def test_a_cancelled_report_says_nothing_of_the_patient() -> None:
    report = {"resourceType": "DiagnosticReport", "status": "cancelled", "code": concept("CT"), "conclusion": "x"}
    case = read_bundle(PATIENT, report)
    assert case.documents == [] and "cancelled" in reasons(case)["Bundle.entry[1].resource"]


def test_a_record_is_the_same_however_it_is_handed_over(shared: Path) -> None:
    """A public bundle with relative and absolute references, as bulk-export lines, and in UTF-16."""
    raw = gzip.decompress(synthea(shared)[0].read_bytes()).decode()
    relative = raw
    for entry in json.loads(raw)["entry"]:
        address = f"{entry['resource']['resourceType']}/{entry['resource']['id']}"
        relative = relative.replace(f'"reference": "{entry["fullUrl"]}"', f'"reference": "{address}"')
    content = json.loads(relative)
    lines = "\r\n".join(json.dumps(entry["resource"]) for entry in content["entry"])
    for entry in content["entry"]:
        entry["fullUrl"] = f"https://example.org/fhir/{entry['resource']['resourceType']}/{entry['resource']['id']}"
    searchset = json.dumps({**content, "type": "searchset"})

    def parts(data: bytes) -> list[Json]:
        place = {"source", "duplicates", "id"}
        case = read(data)
        return [
            part.model_dump(exclude=place) for part in (case.patient, *(p for n in PARTS for p in getattr(case, n)))
        ]

    assert parts(lines.encode()) == parts(searchset.encode()) == parts(raw.encode("utf-16")) == parts(raw.encode())
