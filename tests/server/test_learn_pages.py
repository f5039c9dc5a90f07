"""The pages for learners: a quiz is written, answered, explained with its sources, and reviewed."""

import html
import re

import pytest

HTML = {"Accept": "text/html"}


def written(client, **given):
    made = client.post("/learn/quiz", data={"topic": "asthma", "count": 2, **given}, headers=HTML)
    assert made.status_code == 204, made.text
    return made.headers["HX-Redirect"]


def items_of(app, address):
    return app.state.desk.ledger.payload(address.rsplit("/", 1)[1])["output"]["items"]


def test_an_item_is_answered_and_every_option_explained(client, app):
    address = written(client)
    shown = client.get(address, headers=HTML).text
    assert "For professional review" in shown and "not compared with test items" in shown
    item = items_of(app, address)[0]
    for choice in item["options"]:
        assert choice["text"] in shown and choice["why"] not in shown, "the key is not given away"
    for choice in item["options"]:
        said = client.post(f"{address}/items/{item['id']}", data={"chosen": choice["text"]}, headers=HTML).text
        assert ("<b>Right</b>" in said) == choice["correct"]
        assert said.count("<li>") == len(item["options"])
    cited = re.search(r'hx-get="(/learn/quiz/\S+/evidence/[^"]+)"', said)[1]
    assert client.get(cited, headers=HTML).status_code == 200
    assert address in client.get("/learn", headers=HTML).text


def test_a_short_answer_takes_other_names_of_the_key(client, app):
    address = written(client, topic="Marfan syndrome", kind="short-answer", level="apply", count=1)
    item = items_of(app, address)[0]
    for name in item["accepted"]:
        said = client.post(f"{address}/items/{item['id']}", data={"chosen": name.upper()}, headers=HTML).text
        assert "<b>Right</b>" in said
    wrong = client.post(f"{address}/items/{item['id']}", data={"chosen": "gout"}, headers=HTML).text
    assert "Not right" in wrong and item["accepted"][0] in wrong


def test_what_was_missed_becomes_a_card_and_is_reviewed(client, app):
    address = written(client, topic="gout")
    item = items_of(app, address)[0]
    wrong = next(choice["text"] for choice in item["options"] if not choice["correct"])
    client.post(f"{address}/items/{item['id']}", data={"chosen": wrong}, headers=HTML)
    assert "1 cards added" in client.post(f"{address}/cards", data={"which": "missed"}, headers=HTML).text
    shown = client.get("/learn/cards", headers=HTML).text
    assert item["stem"][:40] in shown and "1 due" in shown
    card = re.search(r'hx-post="/learn/cards/([^"]+)"', shown)[1]
    assert "Nothing is due" in client.post(f"/learn/cards/{card}", data={"rating": 3}, headers=HTML).text
    assert client.post(f"/learn/cards/{card}", data={"rating": 9}, headers=HTML).status_code == 422
    desk = client.get("/learn/desk", headers=HTML).text
    assert item["stem"][:40] in desk and f"{wrong} 1" in desk


@pytest.mark.parametrize("ending", [".docx", ".csv", ".json", ".apkg"])
def test_a_quiz_is_taken_along_as_a_file(client, ending):
    address = written(client)
    taken = client.get(f"{address}/file{ending}")
    assert "attachment" in taken.headers["content-disposition"] and len(taken.content) > 500
    assert client.get(f"{address}/file.exe", headers=HTML).status_code == 400


def test_an_item_is_reviewed(client, app):
    address = written(client)
    item = items_of(app, address)[0]
    said = {"trace_id": address.rsplit("/", 1)[1], "statement": item["stem"], "verdict": "wrong", "reason": "too easy"}
    assert client.post("/feedback", data=said, headers=HTML).status_code == 200
    assert app.state.desk.ledger.entries(1)[0].kind == "feedback"
    queue, rejected = client.get("/learn/desk", headers=HTML).text.split("Rejected items</h2>")
    other = items_of(app, address)[1]["stem"]
    assert html.escape(item["stem"], quote=False)[:60] in rejected
    assert html.escape(other, quote=False)[:60] in queue.split("Items to review")[1]


@pytest.mark.parametrize(
    ("given", "status"), [({"topic": "xyzzy plugh"}, 400), ({"topic": " "}, 400), ({"count": 99}, 422)]
)
def test_what_no_quiz_can_be_written_of_is_refused(client, given, status):
    assert client.post("/learn/quiz", data={"topic": "asthma", **given}, headers=HTML).status_code == status


def test_an_item_that_there_is_not_and_no_answer(client, app):
    address = written(client)
    item = items_of(app, address)[0]
    assert client.post(f"{address}/items/q-0", data={"chosen": "x"}, headers=HTML).status_code == 404
    assert client.post(f"{address}/items/{item['id']}", data={"chosen": " "}, headers=HTML).status_code == 422


def test_a_topic_is_explained_for_a_reader(client, app):
    made = client.post("/learn/explain", data={"topic": "gout", "level": "student"}, headers=HTML)
    assert made.status_code == 204, made.text
    address = made.headers["HX-Redirect"]
    shown = client.get(address, headers=HTML).text
    held = app.state.desk.ledger.payload(address.rsplit("/", 1)[1])["output"]
    assert "For professional review" in shown and str(held["readability"]["value"]) in shown
    assert all(section["title"] in shown for section in held["sections"])
    cited = re.search(r'hx-get="(/learn/explain/\S+/evidence/[^"]+)"', shown)[1].replace("&amp;", "&")
    assert client.get(cited, headers=HTML).status_code == 200
    assert "card" in client.post(f"{address}/cards", headers=HTML).text
    said = {"trace_id": held["trace_id"], "statement": held["sections"][0]["statements"][0]["text"], "verdict": "right"}
    assert client.post("/feedback", data=said, headers=HTML).status_code == 200
    assert address in client.get("/learn", headers=HTML).text
    refused = client.post("/learn/explain", data={"topic": "florbnax"}, headers=HTML)
    assert refused.status_code == 400 and "florbnax" in refused.text
