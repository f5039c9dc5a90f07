"""Whatever is sent: an answer that is HL7's, or an error of the request that names a place; never a fault of ours."""

import copy

import pytest
from cds import NONE, body, bundle, cards, order
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from osler.server.app import create_app
from osler.settings import load_settings

LEAVES = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20)
)
JSON = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
HOOKS = ("patient-view", "order-select", "order-sign", "encounter-discharge")


@pytest.fixture(scope="module")
def ehr(tmp_path_factory):
    made = create_app(load_settings({"home": str(tmp_path_factory.mktemp("malformed")), "server.rate": 10**6}), "t")
    headers = {"Authorization": "Bearer t"}
    return TestClient(made, base_url="http://127.0.0.1", headers=headers, raise_server_exceptions=False)


def places(value, path=()):
    """The ways to everything in a JSON value."""
    yield path
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, held in inner:
        yield from places(held, (*path, name))


def check(told):
    assert told.status_code in (200, 400, 404, 412), (told.status_code, told.text)
    if told.status_code == 200:
        cards(told)
    else:
        assert told.headers["content-type"] == "application/problem+json" and told.json()["detail"]


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_a_good_call_with_one_part_spoilt(ehr, data):
    hook = data.draw(st.sampled_from(HOOKS))
    drafts = [order("d1", "Aspirin"), order("d2", "华法林片")] if "order" in hook else None
    record = {**NONE, "medications": bundle(order("m1", "Warfarin", "active"))}
    call = body(hook, record, drafts, selections=["MedicationRequest/d1"] if hook == "order-select" else None)
    path = data.draw(st.sampled_from([one for one in places(call) if one]))
    spoilt = copy.deepcopy(call)
    inner = spoilt
    for name in path[:-1]:
        inner = inner[name]
    inner[path[-1]] = data.draw(JSON)
    check(ehr.post(f"/cds-services/osler-{hook}", json=spoilt))


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(raw=st.binary(max_size=200), value=JSON, path=st.sampled_from(["", "/feedback"]))
def test_anything_at_all(ehr, raw, value, path):
    headers = {"Content-Type": "application/json"}
    for told in (ehr.post(f"/cds-services/osler-order-sign{path}", content=raw, headers=headers),
                 ehr.post(f"/cds-services/osler-order-sign{path}", json=value)):  # fmt: skip
        assert told.status_code == 400 and told.json()["detail"]


def test_texts_that_no_encoding_holds(ehr):
    for hook in ("order-sign", "patient-view"):
        call = body(hook, {**NONE, "\ud800": None}, [order("d1", "Aspirin \ud800")] if "order" in hook else None)
        check(
            ehr.post(f"/cds-services/osler-{hook}", content=spelt(call), headers={"Content-Type": "application/json"})
        )
        call["context"]["userId"] = "\ud800"
        told = ehr.post(
            f"/cds-services/osler-{hook}", content=spelt(call), headers={"Content-Type": "application/json"}
        )
        assert told.status_code == 400
    deep = b'{"resourceType":"Patient","id":"p1","x":' + b"[" * 900 + b"]" * 900 + b"}"
    call = body("patient-view", {"patient": "HERE"})
    raw = spelt(call).replace(b'"HERE"', deep)
    check(ehr.post("/cds-services/osler-patient-view", content=raw, headers={"Content-Type": "application/json"}))


def spelt(value):
    import json

    return json.dumps(value).encode()
