"""Drug safety: interactions, allergies, duplicates, loadable sets, honest coverage."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from osler.clinic.safety import DrugSafety, drug_safety
from osler.clinic.safety.allergy import load_cross_reactivity
from osler.errors import InputError
from osler.knowledge.drugs.interactions import SEVERITIES
from osler.knowledge.drugs.interactions import check as check_set
from osler.knowledge.drugs.names import load_classes, load_names
from osler.knowledge.graph import load_graph
from osler.knowledge.sources import Sources
from osler.nouns import Finding
from osler.record.case import Allergy, Case, Code, Document, Medication, Patient
from osler.settings import Safety, Settings, load_settings


def check(
    medications: Sequence[str] = (),
    allergies: Sequence[Allergy | str] = (),
    safety: Safety | None = None,
    home: Path = Path("unused"),
    **parts: object,
) -> DrugSafety:
    codes = [Code(system="http://www.nlm.nih.gov/research/umls/rxnorm", code="999999")]
    case = Case(
        kind="fhir",
        digest="0" * 64,
        language="en",
        patient=Patient(source="Patient/1"),
        medications=[Medication(source=f"M/{n}", label=label, codes=codes) for n, label in enumerate(medications)],
        allergies=[a if isinstance(a, Allergy) else Allergy(source=f"A/{n}", label=a) for n, a in enumerate(allergies)],
        **{key: value for key, value in parts.items() if key != "findings"},
    )
    settings = Settings(home=home, safety=safety or Safety())
    return drug_safety(case, parts.get("findings", ()), load_graph(), settings)  # type: ignore[arg-type]


def test_cross_reactivity_is_well_formed() -> None:
    classes = load_classes()
    for row in load_cross_reactivity():
        assert row.severity in SEVERITIES and row.source and row.mechanism
        for side in (row.a, row.b):
            assert not side.startswith("class:") or side[6:] in classes.members


@pytest.mark.parametrize(
    ("a", "b", "severity"),
    [
        ("Sildenafil 50 MG", "Nitroglycerin 0.4 MG", "contraindicated"),
        ("Warfarin 5 MG", "Ibuprofen 200 MG Oral Tablet", "major"),
        ("Simvastatin 20 MG", "Clarithromycin 500 MG", "contraindicated"),
        ("Lisinopril 10 MG", "Spironolactone 25 MG", "major"),
        ("Phenelzine 15 MG", "Sertraline 50 MG", "contraindicated"),
        ("Oxycodone 5 MG", "Alprazolam 0.5 MG", "major"),
        ("Levothyroxine 50 MCG", "Calcium carbonate 500 MG", "moderate"),
        ("Amiodarone 200 MG", "Digoxin 0.125 MG", "major"),
    ],
)
def test_known_interactions(a: str, b: str, severity: str) -> None:
    for pair in ((a, b), (b, a)):
        found = check(pair)
        alert = next(alert for alert in found.alerts if alert.kind == "interaction")
        assert alert.severity == severity and alert.management
        cited = {item.id: item for item in found.evidence}
        assert set(alert.evidence) <= set(cited)
        assert {"M/0", "M/1"} <= set(alert.evidence)
        assert any(cited[i].kind == "passage" and cited[i].source.year for i in alert.evidence)


def test_a_class_row_needs_two_different_members() -> None:
    assert check(["Sumatriptan 50 MG"]).alerts == []
    assert check(["Sumatriptan 50 MG", "Rizatriptan 5 MG"]).alerts[0].severity == "contraindicated"


def test_the_sentence_behind_an_alert_names_its_own_drugs() -> None:
    found = check(["Ibuprofen 200 MG", "Naproxen 220 MG", "Edoxaban 60 MG"])
    cited = {item.id: item.text for item in found.evidence}
    alerts = [alert for alert in found.alerts if alert.kind == "interaction"]
    assert len(alerts) >= 2
    for alert in alerts:
        sentences = [cited[i] for i in alert.evidence if i.startswith("interaction:")]
        assert sentences and all(text.startswith(" with ".join(alert.drugs)) for text in sentences)


def test_no_data_is_never_safe() -> None:
    found = check(["Loratadine 10 MG", "Foobarium 5 MG", "Mupirocin"])
    assert found.alerts == []
    gaps = {gap.what: gap.why for gap in found.coverage.not_checked}
    assert gaps["Loratadine"] == "no interaction data for Loratadine"
    assert "not recognised" in gaps["Foobarium 5 MG"]
    assert "1 of 1 drug pairs" in gaps
    assert {"dose", "pregnancy and breastfeeding", "conditions"} <= set(gaps)
    assert "safe" not in " ".join(found.coverage.checked)
    assert any(name.startswith("interactions:") for name in found.coverage.knowledge)


def test_an_empty_record_still_says_what_is_not_checked() -> None:
    found = check()
    assert found.alerts == [] and found.coverage.checked == [] and found.coverage.not_checked


@pytest.mark.parametrize(
    ("allergy", "drug", "severity"),
    [
        ("Penicillin", "Amoxicillin 500 MG", "major"),
        ("Allergy to penicillin", "Cephalexin 500 MG", "moderate"),
        ("Penicillins", "Ceftriaxone", "minor"),
        ("Amoxicillin", "Cephalexin 500 MG", "major"),
        ("Penicillin", "Meropenem", "minor"),
        ("Sulfa drugs", "Sulfamethoxazole / Trimethoprim", "major"),
        ("Sulfonamide", "Furosemide 40 MG", "minor"),
        ("Aspirin", "Ibuprofen 200 MG", "major"),
        ("Lisinopril", "Ramipril 5 MG", "contraindicated"),
        ("Lisinopril", "Losartan 50 MG", "minor"),
        ("青霉素过敏", "阿莫西林胶囊 0.5g", "major"),
        ("Penicillin", "Azithromycin 250 MG", None),
        ("Peanut", "Amoxicillin 500 MG", None),
    ],
)
def test_allergies_and_cross_reactivity(allergy: str, drug: str, severity: str | None) -> None:
    found = check([drug], [allergy])
    severities = [alert.severity for alert in found.alerts if alert.kind == "allergy"]
    assert severities == ([severity] if severity else [])


def test_a_severe_reaction_to_the_same_drug_contraindicates_it() -> None:
    severe = Allergy(source="A/1", label="Amoxicillin", reactions=["Anaphylaxis"])
    assert check(["Amoxicillin 500 MG"], [severe]).alerts[0].severity == "contraindicated"


def test_refuted_and_resolved_allergies_are_left_out() -> None:
    for update in ({"verification": "refuted"}, {"status": "resolved"}):
        allergy = Allergy(source="A/1", label="Penicillin").model_copy(update=update)
        assert check(["Amoxicillin 500 MG"], [allergy]).alerts == []


def test_an_allergy_that_names_no_known_drug_is_a_gap() -> None:
    gaps = [gap.what for gap in check(["Aspirin"], ["Shellfish"]).coverage.not_checked]
    assert "allergy: Shellfish" in gaps


def test_duplicates_by_drug_and_by_class() -> None:
    found = check(
        ["Acetaminophen 325 MG Oral Tablet", "Acetaminophen 325 MG / Hydrocodone Bitartrate 7.5 MG Oral Tablet"]
    )
    assert [(alert.kind, alert.drugs) for alert in found.alerts] == [("duplicate", ["Acetaminophen"])]
    found = check(["Ibuprofen 200 MG", "Naproxen sodium 220 MG"])
    assert ("duplicate", ["Ibuprofen", "Naproxen"]) in [(alert.kind, alert.drugs) for alert in found.alerts]
    assert check(["Ibuprofen 200 MG", "Ibuprofen 200 MG"]).alerts == []


def test_stopped_medications_are_not_checked() -> None:
    medications = [
        Medication(source=f"M/{n}", label=label, status="stopped") for n, label in enumerate(("Warfarin", "Ibuprofen"))
    ]
    case_parts = Case(kind="fhir", digest="0" * 64, language="en", patient=Patient(source="P"), medications=medications)
    assert drug_safety(case_parts, [], load_graph(), Settings(home=Path("unused"))).alerts == []


def _noted(text: str, *names: str) -> DrugSafety:
    findings = []
    for name in names:
        drug, start = load_names().of(name)[0], text.index(name)
        findings.append(
            Finding(code=drug.id, label=drug.label, text=name, start=start, end=start + len(name), source="note")
        )
    document = Document(source="note", id="note", text=text, language="en")
    return check(documents=[document], findings=findings)


def test_drugs_and_allergies_that_only_a_note_names() -> None:
    found = _noted("Takes warfarin and ibuprofen daily.", "warfarin", "ibuprofen")
    assert [alert.severity for alert in found.alerts if alert.kind == "interaction"] == ["major"]
    found = _noted("Allergic to penicillin. Started amoxicillin today.", "penicillin", "amoxicillin")
    assert [alert.kind for alert in found.alerts] == ["allergy"]
    assert _noted("Takes warfarin. Stopped ibuprofen last week.", "warfarin", "ibuprofen").alerts == []


def test_codes_without_a_map_are_counted_and_labelled() -> None:
    coverage = check(["Warfarin 5 MG"]).coverage
    assert coverage.codes_mapped == 0
    assert coverage.codes_unmapped == [
        "http://www.nlm.nih.gov/research/umls/rxnorm|999999 Warfarin 5 MG (matched by name: Warfarin)"
    ]


def test_a_crosswalk_maps_codes(tmp_path: Path) -> None:
    file = tmp_path / "crosswalk.csv"
    file.write_text("code,target,label\n999999,DRUGBANK:DB00682,Warfarin\n", encoding="utf-8")
    found = check(["an unreadable product"], safety=Safety(crosswalk=str(file)))
    assert found.coverage.codes_mapped == 1 and found.coverage.codes_unmapped == []
    assert "no interaction data" not in " ".join(gap.why for gap in found.coverage.not_checked)
    file.write_text("code,target,label\n999999,,Warfarin\n", encoding="utf-8")
    load = Safety(crosswalk=str(tmp_path / "other.csv"))
    (tmp_path / "other.csv").write_text("code,target,label\n999999,,Warfarin\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"other\.csv:2"):
        check(["Warfarin"], safety=load)


COLUMNS = "a,b,severity,mechanism,management,source"


def test_a_larger_set_is_loaded_from_csv_and_json(tmp_path: Path) -> None:
    table = tmp_path / "set.csv"
    table.write_text(
        f"{COLUMNS}\nLoratadine,Mupirocin,minor,none known,watch,Test set\nNoDrug,Aspirin,minor,x,y,z\n",
        encoding="utf-8",
    )
    found = check(["Loratadine", "Mupirocin"], home=with_set(table, tmp_path / "home"))
    assert [alert.severity for alert in found.alerts] == ["minor"]
    assert any("rows of loaded sets" in gap.what for gap in found.coverage.not_checked)
    items = [dict(zip(COLUMNS.split(","), ["Loratadine", "class:nsaids", "major", "m", "n", "s"], strict=True))]
    listed = tmp_path / "set.json"
    listed.write_text(json.dumps(items), encoding="utf-8")
    found = check(["Loratadine", "Ibuprofen"], home=with_set(listed, tmp_path / "other"))
    assert [alert.severity for alert in found.alerts] == ["major"]


def test_an_imported_set_waits_for_its_approval(tmp_path: Path) -> None:
    table = tmp_path / "set.csv"
    table.write_text(f"{COLUMNS}\nAspirin,Warfarin,minor,m,n,s\nX,Aspirin,minor,m,n,s\n", encoding="utf-8")
    report = check_set([table])
    assert report.counts == {"interactions": 1}
    assert {(item.imported, item.known) for item in report.conflicts} == {("minor", "major")}
    assert report.unused[0].where.endswith("set.csv:3")
    home = with_set(table, tmp_path / "home", approve=False)
    assert "interactions:own" not in check(["Aspirin"], home=home).coverage.knowledge
    Sources(load_settings({"home": home}, environment={})).approve("own", "a pharmacist", "compared with the label")
    assert check(["Aspirin"], home=home).coverage.knowledge["interactions:own"]


def with_set(table: Path, home: Path, approve: bool = True) -> Path:
    """A home with an imported set of interactions."""
    sources = Sources(load_settings({"home": home}, environment={}))
    sources.add("own", "interactions", [table], check_set([table]))
    if approve:
        sources.approve("own", "a pharmacist", "compared with the label")
    return home


def test_alerts_are_sorted_by_severity() -> None:
    found = check(["Sildenafil", "Nitroglycerin", "Levothyroxine", "Calcium carbonate", "Warfarin", "Ibuprofen"])
    ranks = [SEVERITIES.index(alert.severity) for alert in found.alerts]
    assert len(ranks) >= 3 and ranks == sorted(ranks)
