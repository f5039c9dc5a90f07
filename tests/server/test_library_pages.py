"""The page of the library: what it holds, a search, a document, and documents of one's own."""

import time

import pytest

HTML = {"Accept": "text/html"}
TEXT = b"Quokkan fever is treated with rest and fluids.\n\nIt is spread by a bite.\n"


def test_a_stranger_sees_nothing_of_it(stranger):
    assert stranger.get("/library", headers=HTML).status_code == 401


def test_the_shipped_library_is_searched_and_read(client):
    shown = client.get("/library", headers=HTML).text
    assert "starter" in shown and "CC BY 4.0" in shown and "Further" in shown
    found = client.get("/library", params={"q": "What causes scurvy?"}, headers=HTML).text
    assert "scurvy" in found.lower() and "/library/starter/document/" in found
    document = client.get("/library/starter/document/medquad%3A1-0000001_1", headers=HTML)
    assert document.status_code == 200 and "medquad:1-0000001_1" in document.text
    assert client.get("/library/starter/document/nothing", headers=HTML).status_code == 404


def added(client, name, *files, **said):
    given = [("files", (title, content, "application/octet-stream")) for title, content in files]
    return client.post("/library", data={"name": name, **said}, files=given, headers=HTML)


def finished(client):
    for _ in range(200):
        shown = client.get("/library/jobs", headers=HTML).text
        if "running" not in shown:
            return shown
        time.sleep(0.1)
    raise AssertionError(shown)


def test_documents_of_ones_own_are_read_as_a_job(client):
    assert added(client, "own", ("fever.txt", TEXT)).status_code == 204
    assert "done" in finished(client)
    found = client.get("/library", params={"name": "own", "q": "quokkan fever treatment"}, headers=HTML).text
    assert "rest and fluids" in found


def test_a_damaged_file_is_named_and_the_others_are_read(client):
    assert added(client, "mixed", ("broken.pdf", b"%PDF-1.7 nothing"), ("fever.txt", TEXT)).status_code == 204
    assert "broken.pdf" in finished(client)
    assert "fever.txt" in client.get("/library", params={"name": "mixed"}, headers=HTML).text


def test_when_a_document_holds_is_said_by_who_adds_it(client):
    assert (
        added(client, "dated", ("fever.txt", TEXT), valid_from="2024-05-01", superseded_by="doi:new").status_code == 204
    )
    assert "done" in finished(client)
    found = client.get("/library", params={"name": "dated", "q": "quokkan fever treatment"}, headers=HTML).text
    assert "2024-05-01" in found and "doi:new" in found
    assert added(client, "dated", ("fever.txt", TEXT), valid_from="soon").status_code == 422
    assert added(client, "dated", ("a.txt", TEXT), ("a.txt", b"Another text.")).status_code == 400


@pytest.mark.parametrize("name", ["starter", "../up", ""])
def test_what_is_no_library_of_ones_own_is_refused(client, name):
    assert added(client, name, ("fever.txt", TEXT)).status_code in (400, 422)
