"""What of a record goes into the ranking: the present illness, not the diseases known from before."""

from osler.clinic.consult import phenotypes
from osler.knowledge.concepts.recogniser import load_recogniser
from osler.knowledge.graph import load_graph


def present(text: str) -> set[str]:
    return {load_graph().label(code) for code in phenotypes(load_recogniser().find(text), "present")}


def test_a_common_disease_known_from_before_is_no_finding_of_the_present_illness() -> None:
    found = present("History of type 2 diabetes mellitus and hypertension. Now fever and cough for two days.")
    assert found == {"Fever", "Cough"}
    found = present("He has a cough. He takes warfarin for his atrial fibrillation.")
    assert found == {"Cough"}


def test_a_disease_that_is_new_stays() -> None:
    assert "Atrial fibrillation" in present("Palpitations since yesterday; the ECG shows atrial fibrillation.")


def test_an_earlier_sign_that_is_no_common_disease_stays() -> None:
    assert {"Seizure", "Hypotonia"} <= present("History of seizures. Hypotonia since birth.")


def test_what_is_absent_is_absent() -> None:
    assert phenotypes(load_recogniser().find("No fever."), "absent") == ["HP:0001945"]
