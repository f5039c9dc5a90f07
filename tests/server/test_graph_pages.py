import itertools
import re
import xml.etree.ElementTree as ElementTree

import pytest

from osler.knowledge.graph import Edge
from osler.server.graph_view import DRAWN, cut, grouped, nearest

HTML = {"Accept": "text/html"}
MARFAN = "/graph/node/MONDO%3A0007947"


def svgs(html):
    """The drawings of a page, which have to be well-formed."""
    return [ElementTree.fromstring(one) for one in re.findall(r"<svg class=\"near.*?</svg>", html, re.DOTALL)]


def edge(subject, relation, object, frequency=None):
    return Edge(subject, relation, object, "s", frequency)


def test_a_stranger_sees_nothing_of_it(stranger):
    for address in ("/graph", "/graph/matches?q=asthma", MARFAN, "/graph/path?a=FBN1&b=asthma"):
        assert stranger.get(address, headers=HTML).status_code == 401, address


@pytest.mark.parametrize("asked", ["Marfan syndrome", "OMIM:154700", "marfan"])
def test_a_concept_is_found_by_name_or_code(client, asked):
    for address in ("/graph", "/graph/matches"):
        assert f'href="{MARFAN}"' in client.get(address, params={"q": asked}, headers=HTML).text
    assert "<html" not in client.get("/graph/matches", params={"q": asked}, headers=HTML).text


def test_a_chinese_name_finds_it_and_is_shown_first_to_a_chinese_reader(client):
    shown = client.get("/graph/matches", params={"q": "哮喘"}, headers=HTML).text
    assert ">Asthma</a> 哮喘" in shown
    chinese = client.get("/graph/matches", params={"q": "哮喘"}, headers={**HTML, "Accept-Language": "zh-CN"}).text
    assert ">哮喘</a> Asthma" in chinese
    assert "<h1>哮喘" in client.get("/graph/node/HP:0002099", headers={**HTML, "Accept-Language": "zh"}).text


def test_what_is_not_there_is_said(client):
    assert "Nothing in the graph is called so" in client.get("/graph?q=qqqqqqqq", headers=HTML).text
    assert "Nothing in the graph" not in client.get("/graph", headers=HTML).text
    unknown = client.get("/graph/node/HP:9999999", headers=HTML)
    assert unknown.status_code == 400 and "unknown identifier" in unknown.text
    nothing = client.get("/graph/path", params={"a": "FBN1", "b": "qqqqqqqq"}, headers=HTML)
    assert nothing.status_code == 400 and "nothing in the graph is called" in nothing.text and "(b)" in nothing.text
    assert client.get(f"{MARFAN}?relation=cures", headers=HTML).status_code == 400
    assert client.get("/graph", params={"q": "a" * 301}, headers=HTML).status_code == 422


def test_the_page_of_a_concept_gives_names_codes_relations_and_sources(client):
    shown = client.get(MARFAN, headers=HTML).text
    for part in ("Marfan syndrome type 1", "OMIM:154700", "has the sign or symptom", "is associated with the gene"):
        assert part in shown, part
    assert ">FBN1</a>" in shown and "PMID:" in shown and re.search(r'<td class="number">\d+%</td>', shown)
    assert "style=" not in shown and "<script>" not in shown


def test_what_is_left_out_is_counted_and_one_link_away(client, app):
    graph = app.state.desk.resources.graph
    there = {edge.object for edge in graph.edges("MONDO:0007947", relation="has_phenotype")}
    shown = client.get(MARFAN, headers=HTML).text
    assert f"1 to 8 of {len(there)}" in shown and f'href="{MARFAN}?relation=has_phenotype"' in shown
    listed, start = set(), 0
    while start < len(there):
        one = client.get(MARFAN, params={"relation": "has_phenotype", "start": start}, headers=HTML).text
        listed |= {id.replace("%3A", ":") for id in re.findall(r'<td><a href="/graph/node/([^"]+)"', one)}
        start += 100
    assert listed == there
    assert "no more" in client.get(f"{MARFAN}?relation=has_phenotype&start=9000", headers=HTML).text


def test_the_drawings_link_to_neighbours_that_the_tables_name(client):
    shown = client.get(MARFAN, headers=HTML).text
    wide, narrow = svgs(shown)
    for drawn in (wide, narrow):
        links = [link.get("href") for link in drawn.iter("a")]
        assert 1 < len(links) <= DRAWN and drawn.find("title").text and drawn.find("desc").text
        assert all(f'<td><a href="{link}"' in shown for link in links)
        assert {drawn.get("aria-labelledby").split()[0]} == {drawn.find("title").get("id")}


@pytest.mark.parametrize("id", ["MONDO:0004979", "HP:0001250", "DRUGBANK:DB00331", "NCBIGene:2200", "MESH:D008382"])
def test_no_two_lines_of_a_drawing_overlap(client, id):
    for drawn in svgs(client.get(f"/graph/node/{id}", headers=HTML).text):
        height = float(drawn.get("viewBox").split()[3])
        for anchor in ("start", "end"):
            texts = [text for text in drawn.iter("text") if text.get("text-anchor") == anchor]
            assert not texts or (texts[0].get("class") == "relation" and texts[-1].get("class") is None)
            heights = [float(text.get("y")) for text in texts]
            assert all(b - a >= 20 for a, b in itertools.pairwise(heights))
            assert all(
                12 <= y < height - 4 and len("".join(text.itertext())) < 50
                for y, text in zip(heights, texts, strict=True)
            )


@pytest.mark.parametrize("count", [1, 2, 14, 300])
def test_a_drawing_takes_from_every_relation_in_turn(count):
    edges = [edge("a", "has_phenotype", f"p{n}", n / count) for n in range(count)]
    edges += [edge("d", "is_a", "a")]
    shown = nearest(grouped("a", edges, str))
    assert [(group.relation, len(group.neighbours)) for group in shown] == [
        ("^is_a", 1), ("has_phenotype", min(count, DRAWN - 1))]  # fmt: skip


def test_edges_of_one_neighbour_stand_together_the_most_frequent_first():
    edges = [
        edge("a", "has_phenotype", "p", 0.2),
        edge("a", "has_phenotype", "q"),
        edge("a", "has_phenotype", "p", 0.9),
    ]
    (group,) = grouped("a", [*edges, edge("a", "has_phenotype", "r", 0.5)], str)
    assert [(one.id, one.frequency, len(one.edges)) for one in group.neighbours] == [
        ("p", 0.9, 2), ("r", 0.5, 1), ("q", None, 1)]  # fmt: skip


def test_a_long_name_is_cut_to_its_room():
    assert cut("short", 200) == "short"
    assert cut("a" * 100, 73) == "a" * 9 + "…" and cut("哮" * 100, 73) == "哮" * 4 + "…"


def test_a_path_names_each_step_and_its_source(client):
    shown = client.get("/graph/path", params={"a": "FBN1", "b": "MONDO:0007947"}, headers=HTML).text
    assert "FBN1 to Marfan syndrome" in shown and "is associated with the disease" in shown and "hpo_genes" in shown
    same = client.get("/graph/path", params={"a": "HP:0001250", "b": "Seizure"}, headers=HTML).text
    assert "Both ends are the same concept" in same
    terms = client.get("/graph/terms", params={"b": "哮喘"}, headers=HTML).text
    assert '<option value="HP:0002099">Asthma 哮喘, sign or symptom</option>' in terms
