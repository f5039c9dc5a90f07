"""The shipped graph: facts that can be looked up in its sources."""

import re

import pytest

from osler.errors import InputError
from osler.knowledge.graph import Graph, load_graph

MARFAN, ARACHNODACTYLY = "MONDO:0007947", "HP:0001166"


@pytest.fixture(scope="module")
def graph() -> Graph:
    return load_graph()


def test_marfan_has_arachnodactyly_with_its_publication(graph: Graph) -> None:
    rows = [e for e in graph.edges(MARFAN, "has_phenotype") if e.object == ARACHNODACTYLY]
    counted = next(e for e in rows if e.frequency_text == "124/197")
    assert counted.frequency == pytest.approx(124 / 197)
    assert counted.reference == "PMID:28050285;PMID:33436942"
    assert (counted.source, counted.stated_for) == ("hpoa", "OMIM:154700")
    assert {e.stated_for for e in rows if e.source == "hpoa"} == {"OMIM:154700", "ORPHA:558"}


@pytest.mark.parametrize(
    "identifier",
    ["OMIM:154700", "ORPHA:558", "Orphanet:558", "MIM:154700", "DOID:14323", "MESH:D008382", "mondo:0007947"],
)
def test_equivalent_identifiers_are_one_disease(graph: Graph, identifier: str) -> None:
    node = graph.node(identifier)
    assert (node.id, node.kind) == (MARFAN, "disease")
    assert {"OMIM:154700", "ORPHA:558", "DOID:14323", "MESH:D008382"} <= set(node.equivalents)


def test_alternative_and_obsolete_ids_lead_to_their_replacement(graph: Graph) -> None:
    assert graph.node("HP:0004715").id == "HP:0000003"  # alternative id of Multicystic kidney dysplasia
    assert graph.canonical("HP:0001425") == "HP:0000005"
    assert graph.find("HP:9999999") is None


def test_obsolete_term_without_replacement_is_kept_but_not_named(graph: Graph) -> None:
    orphans = [graph.at(p) for p, other in enumerate(graph.pack.strings("replaced_by")) if other]
    assert orphans
    named = {identifier for identifier, _, _ in graph.names(["phenotype"])}
    for node in orphans:
        assert node.id not in named
        assert node.replaced_by and graph.find(node.replaced_by)


def test_unknown_identifier_names_the_nearest(graph: Graph) -> None:
    with pytest.raises(InputError, match=r"unknown identifier 'HP:00011667'.*HP:0001166"):
        graph.node("HP:00011667")
    with pytest.raises(InputError, match="unknown identifier"):
        graph.edges("nonsense")


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("Arachnodactyly", ARACHNODACTYLY),
        ("headaches", "HP:0002315"),
        ("HEADACHE", "HP:0002315"),
        ("diarrhoea", "HP:0002014"),
        ("Syndrome, Marfan", MARFAN),
        ("marfan's syndrome", MARFAN),
        ("偏头痛", "HP:0002076"),
        ("paracetamol", "DRUGBANK:DB00316"),
        ("acetylsalicylic acid", "DRUGBANK:DB00945"),
        ("FBN1", "NCBIGene:2200"),
        ("arachnodactily", ARACHNODACTYLY),
        ("influenza", "MONDO:0005812"),
        (" OMIM:154700 ", MARFAN),
    ],
)
def test_resolve(graph: Graph, text: str, first: str) -> None:
    assert graph.resolve(text)[0].id == first


def test_resolve_finds_the_disease_beside_the_phenotype(graph: Graph) -> None:
    assert {"HP:6000143", "MONDO:0005649"} <= {node.id for node in graph.resolve("appendicitis")}


@pytest.mark.parametrize("text", ["", "   ", "qqqqxyzzy", "。"])
def test_resolve_of_nothing_is_empty(graph: Graph, text: str) -> None:
    assert graph.resolve(text) == []


def test_chinese_labels_are_those_published(graph: Graph) -> None:
    assert graph.node("HP:0002315").label_zh == "头痛"
    assert graph.label("HP:0002315", "zh") == "头痛"
    chinese = {name: identifier for identifier, name, _ in graph.names(["phenotype"], "zh")}
    assert chinese["头痛"] == "HP:0002315"
    assert len(chinese) > 15_000


def test_names_have_types_and_leave_out_everyday_words(graph: Graph) -> None:
    names = {(identifier, name.lower()): kind for identifier, name, kind in graph.names(["phenotype", "drug"])}
    assert names["HP:0001250", "seizure"] == "label"
    assert names["HP:0001250", "epileptic seizure"] == "exact"
    assert ("DRUGBANK:DB09145", "water") not in names
    assert graph.node("DRUGBANK:DB09145").label == "Water"


def test_hierarchy(graph: Graph) -> None:
    assert graph.descends(ARACHNODACTYLY, "HP:0000118")
    assert not graph.descends("HP:0000118", ARACHNODACTYLY)
    assert ARACHNODACTYLY in graph.ancestors(ARACHNODACTYLY)
    parent = graph.edges(ARACHNODACTYLY, "is_a")[0].object
    assert ARACHNODACTYLY in {edge.subject for edge in graph.edges(parent, "is_a", "in")}
    assert graph.node("HP:0003577").kind == "modifier"  # congenital onset is no finding


def test_drug_classes(graph: Graph) -> None:
    classes = {graph.label(identifier) for identifier in graph.ancestors("DRUGBANK:DB01060")}
    assert {"Amoxicillin", "Penicillins", "beta-Lactams"} <= classes


def test_indications_carry_their_kind_(graph: Graph) -> None:
    gout = graph.canonical("DOID:13189")
    assert any(e.object == gout for e in graph.edges("DRUGBANK:DB00437", "treats"))  # allopurinol
    assert any(e.relation == "symptomatic_for" for e in graph.edges("DRUGBANK:DB00316"))


def test_path_from_a_drug_to_a_finding_of_what_it_treats(graph: Graph) -> None:
    best = graph.path("DRUGBANK:DB00945", "HP:0001945")
    assert len(best) == 3
    for path in best:
        assert path.nodes[0] == "DRUGBANK:DB00945" and path.nodes[-1] == "HP:0001945"
        assert len(path.edges) == len(path.nodes) - 1
        for edge, a, b in zip(path.edges, path.nodes, path.nodes[1:], strict=False):
            assert {edge.subject, edge.object} == {a, b}
            assert edge.source
    assert best[0].edges[0].relation in ("treats", "symptomatic_for")
    assert best[0].edges[1].relation == "has_phenotype"
    assert best == graph.path("DRUGBANK:DB00945", "HP:0001945")


def test_paths_are_ordered_bounded_and_go_round_the_roots(graph: Graph) -> None:
    paths = graph.path(MARFAN, "MONDO:0017310", limit=5, max_length=3)
    assert [p.cost for p in paths] == sorted(p.cost for p in paths)
    assert all(len(p.edges) <= 3 for p in paths)
    assert all("HP:0000118" not in p.nodes[1:-1] for p in paths)
    assert graph.path(MARFAN, MARFAN) == []
    assert graph.path(MARFAN, "OMIM:154700") == []
    with pytest.raises(InputError):
        graph.path(MARFAN, "HP:9999999")


def test_marfan_is_joined_to_its_gene(graph: Graph) -> None:
    edge = graph.path(MARFAN, "NCBIGene:2200", limit=1)[0].edges[0]
    assert (edge.subject, edge.relation, edge.object) == (MARFAN, "gene_associated", "NCBIGene:2200")


def test_phenotypic_series(graph: Graph) -> None:
    edge = graph.edges("MONDO:0000208", "in_series")[0]
    assert (edge.object, edge.stated_for) == ("MONDO:0800450", "OMIM:616033")


def test_common_diseases_have_what_the_library_says_of_them(graph: Graph) -> None:
    rows = graph.edges("MONDO:0005812", "has_phenotype")  # influenza
    assert {(e.source, e.evidence) for e in rows} == {
        ("medquad", "TXT"), ("openstax", "TXT"), ("osler_profiles", "PRO"),
    }  # fmt: skip
    fever = [e.reference for e in rows if e.object == "HP:0001945"]
    assert any(re.fullmatch(r"medquad:4-\d+:\d+-\d+", reference or "") for reference in fever)
    assert "DOID:8469" in graph.node("MONDO:0005812").equivalents


def test_every_edge_has_a_source_and_every_source_its_terms(graph: Graph) -> None:
    assert int(graph.pack.array("edge_source").max()) < len(graph.sources)
    for source in graph.sources:
        assert source.licence and source.attribution and source.version
        assert source.name == "osler" or len(source.sha256) == 64
    assert graph.versions["hpo"] == "2025-01-16"
