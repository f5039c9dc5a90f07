"""The page of images: what is given is drawn, measured, and kept nowhere; bad files are named."""

import base64
import json

import pytest

HTML = {"Accept": "text/html", "HX-Request": "true"}


@pytest.fixture
def folder(shared):
    return shared / "images" / "dicom"


def given(client, *paths, **data):
    files = [("files", (path.name, path.read_bytes())) for path in paths]
    return client.post("/images", files=files, data=data, headers=HTML)


def test_pictures_are_shown_with_their_pixels(client, folder, app):
    shown = given(client, folder / "CT_small.dcm", folder / "emri_small.dcm", folder / "rtplan.dcm")
    assert shown.status_code == 200
    assert shown.text.count("data-viewer") == 2 and "10 frames" in shown.text and "soft tissue" in shown.text
    assert "rtplan.dcm: it holds a plan" in shown.text
    held = shown.text.split("data-pixels>")[1].split("<")[0]
    assert len(base64.b64decode(held)) == 128 * 128 * 2
    entry = app.state.desk.ledger.entries(1)[0]
    assert entry.kind == "imaging" and "data-pixels" not in json.dumps(app.state.desk.ledger.payload(entry.id))


def test_an_ecg_is_measured_and_drawn(client, shared):
    ecg = shared / "signals" / "ecg"
    shown = given(client, ecg / "E07509.hea", ecg / "E07509.mat").text
    assert "48 /min" in shown and "HP:0001662" in shown and shown.count("<polyline") == 12
    assert "No morphology is read" in shown and "E07509.mat" not in shown


def test_the_page_says_that_no_vision_model_is_configured(client):
    assert "No vision model is configured" in client.get("/images", headers=HTML).text


def test_files_that_hold_nothing_are_named(client, folder, tmp_path):
    rubbish = tmp_path / "x.png"
    rubbish.write_bytes(b"nothing")
    for path, why in ((rubbish, "x.png"), (folder / "test-SR.dcm", "structured report")):
        refused = given(client, path)
        assert refused.status_code == 400 and why in refused.text
    assert given(client, folder / "CT_small.dcm", model="none-such").status_code in (400, 404, 503)


def test_a_name_with_a_path_stays_in_its_folder(client, folder):
    files = [("files", ("../../evil.dcm", (folder / "CT_small.dcm").read_bytes()))]
    shown = client.post("/images", files=files, headers=HTML)
    assert shown.status_code == 200 and "<h2>evil.dcm</h2>" in shown.text
