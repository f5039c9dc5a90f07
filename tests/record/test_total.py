"""Property tests: whatever comes in, a reader answers with a Case or with an OslerError, never with anything else."""

import copy
import gzip
import json
from pathlib import Path
from typing import Any

from fhir_samples import PATIENT, condition, observation
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from osler.errors import OslerError
from osler.record import Case, read
from osler.record.case import Part

DATA = Path(__file__).parent / "data"
scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8)
anything = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)
SAMPLES: list[dict[str, Any]] = [
    PATIENT,
    observation(
        component=[{"code": {"text": "a"}, "valueQuantity": {"value": 1}}], referenceRange=[{"low": {"value": 1}}]
    ),
    condition(onsetAge={"value": 4, "unit": "a"}, category=[{"text": "x"}], note=[{"text": "n"}]),
    {
        "resourceType": "MedicationRequest",
        "status": "active",
        "contained": [{"resourceType": "Medication", "id": "m", "ingredient": [{}]}],
        "medicationReference": {"reference": "#m", "display": "d"},
        "dosageInstruction": [{"text": "x", "timing": {"repeat": {"frequency": 1}}}],
        "reasonReference": [{"reference": "Condition/c"}],
    },
    {
        "resourceType": "AllergyIntolerance",
        "code": {"text": "a"},
        "reaction": [{"manifestation": [{"text": "b"}]}],
        "category": ["food"],
    },
    {"resourceType": "Encounter", "class": {"code": "AMB"}, "period": {"start": "2020-01-01"}, "type": [{"text": "t"}]},
    {
        "resourceType": "MedicationOrder",
        "patient": {"reference": "Patient/p1"},
        "medicationCodeableConcept": {"text": "o"},
    },
    {"resourceType": "DocumentReference", "content": [{"attachment": {"data": "eHg=", "contentType": "text/plain"}}]},
    {"resourceType": "Composition", "section": [{"title": "s", "text": {"div": "<div>x</div>"}, "section": [{}]}]},
    {
        "resourceType": "DiagnosticReport",
        "code": {"text": "r"},
        "conclusion": "c",
        "presentedForm": [{"url": "Binary/1"}],
    },
    {
        "resourceType": "FamilyMemberHistory",
        "relationship": {"text": "aunt"},
        "condition": [{"code": {"text": "c"}, "onsetRange": {"low": {"value": 3}}}],
    },
    {"resourceType": "Procedure", "code": "p", "notDone": True, "performedPeriod": {"end": "2020"}},
    {"resourceType": "Immunization", "vaccineCode": {"text": "v"}, "occurrenceDateTime": "2020-01", "status": "x"},
    observation(subject={"reference": "Patient?identifier=a|b"}, valueRatio={"numerator": {"value": 1}}),
]


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for name, one in inner for place in places(one, (*path, name)))]


def changed(draw: Any, value: Any) -> Any:
    """A copy of the JSON with up to three of its parts replaced by something else."""
    value = copy.deepcopy(value)
    for _ in range(draw(st.integers(1, 3))):
        path = draw(st.sampled_from(places(value)))
        if not path:
            continue
        holder = value
        for step in path[:-1]:
            holder = holder[step]
        holder[path[-1]] = draw(anything)
    return value


@st.composite
def bundles(draw: Any) -> Any:
    chosen = draw(st.lists(st.sampled_from(SAMPLES), min_size=1, max_size=4))
    whole = {
        "resourceType": "Bundle",
        "type": "collection",
        "entry": [{"resource": one, "fullUrl": "urn:uuid:1"} for one in chosen],
    }
    return changed(draw, draw(st.sampled_from([whole, chosen, chosen[0]])))


@st.composite
def packets(draw: Any) -> Any:
    return changed(
        draw, json.loads((DATA / draw(st.sampled_from(["retinoblastoma.json", "marfan_snake_case.json"]))).read_text())
    )


def check(data: bytes) -> Case | None:
    """The Case, each of whose offsets lies in a text of its own, or null for an input that was refused."""
    try:
        case = read(data, name="in")
    except OslerError as error:
        refused = error
        case = None
    if case is None:
        assert refused.where and refused.where.startswith("in")
        return None
    texts = {document.id: document.text for document in case.documents}
    parts: list[Part] = [case.patient, *case.documents, *case.conditions, *case.observations]
    for part in parts:
        if part.start is not None:
            assert part.end is not None and 0 <= part.start <= part.end <= len(texts[part.source])
    for document in case.documents:
        for span in (*document.turns, *document.sections):
            assert 0 <= span.start <= span.end <= len(document.text)
        ends = [0, *(span.end for span in document.turns)]
        assert all(turn.start >= end for turn, end in zip(document.turns, ends, strict=False))
    assert Case.model_validate_json(case.model_dump_json()) == case
    return case


slow = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@slow
@given(bundles())
def test_any_fhir(content: Any) -> None:
    check(json.dumps(content).encode())


@slow
@given(packets())
def test_any_phenopacket(content: Any) -> None:
    check(json.dumps(content).encode())


@slow
@given(anything)
def test_any_json(content: Any) -> None:
    check(json.dumps(content).encode())


@slow
@given(st.binary(max_size=200) | st.text(max_size=200).map(lambda text: text.encode("utf-8", "replace")))
def test_any_bytes(data: bytes) -> None:
    check(data)


lines = st.sampled_from(
    [
        "Doctor: Hi",
        "Patient: 54 years old",
        "[doctor] x",
        "医生：好",
        "患者：男，45岁",
        "PLAN:",
        "Family History",
        "主诉：",
        "Age: 7",
        "",
        "  ",
    ]
)


@slow
@given(st.lists(lines | st.text(max_size=30), max_size=12).map("\n".join))
def test_any_prose(text: str) -> None:
    check(text.encode("utf-8", "replace"))


@given(st.integers(0, 2000))
def test_a_bundle_cut_anywhere_names_line_and_column(cut: int) -> None:
    data = json.dumps(
        {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": one} for one in SAMPLES]}
    ).encode()
    case = check(data[:cut]) if cut else None
    assert case is None or cut >= len(data)


def test_public_bundles_round_trip(shared: Path) -> None:
    for file in sorted((shared / "notes" / "synthea_fhir").glob("*.gz"))[:3]:
        assert check(gzip.decompress(file.read_bytes())) is not None
