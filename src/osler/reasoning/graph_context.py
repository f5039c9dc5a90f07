"""What the knowledge graph says of a question's terms, as evidence: definitions, relations, and paths between terms.

Each line is made of rows of the graph, cited by their source. It asks no model and judges nothing.
"""

from collections.abc import Iterable, Sequence
from itertools import product

from osler.knowledge.graph.nouns import Edge, Path
from osler.nouns import Evidence, Source
from osler.reasoning.prompts import prompts
from osler.reasoning.registry import Question
from osler.reasoning.resources import Run
from osler.text import Language, language_of

ELEMENTS, RELATIONS, PATHS = 6, 4, 4  # terms, rows of each, and paths that a prompt is padded with
TOLD, NAMED = 8, 2  # terms of the question, and of each option, between which paths are sought
LONGEST = 3  # edges of a path


def terms_of(text: str, run: Run, most: int) -> list[str]:
    """Identifiers of the graph's terms that a text names of the patient, absent ones left out, in order."""
    found = [item.code for item in run.resources.recogniser.find(text) if item.status != "absent"]
    known = (run.resources.graph.canonical(code) for code in found)
    return list(dict.fromkeys(code for code in known if code is not None))[:most]


def element_evidence(question: Question, run: Run) -> list[Evidence]:
    """A line for each of the first terms of options and question: its definition, else what it is linked with."""
    language, graph = language_of(question.text), run.resources.graph
    options = [term for text in (question.options or {}).values() for term in terms_of(text, run, 1)]
    wanted = list(dict.fromkeys([*options, *terms_of(question.text, run, ELEMENTS)]))[:ELEMENTS]
    found = []
    for identifier in wanted:
        node, edges = graph.node(identifier), graph.edges(identifier)
        rows = [edge for edge in edges if edge.relation in prompts("relations")[language]]
        rows.sort(key=lambda edge: -(edge.frequency or 0.0))
        said = [sentence(edge, run, language) for edge in rows[:RELATIONS]]
        text = " ".join([*([f"{node.label}: {node.definition}"] if node.definition else []), *said])
        if text:
            found.append(Evidence(id=f"graph:{identifier}", kind="edge", text=text, source=_source(rows[:RELATIONS])))
    run.note("reasoning.elements", {"question": question.text}, [item.text for item in found])
    return found


def path_evidence(question: Question, run: Run) -> list[Evidence]:
    """Paths between the question's terms and those of its options (of each other without options), those nearest to
    the question in meaning first and no two between the same ends."""
    graph, language = run.resources.graph, language_of(question.text)
    told = terms_of(question.text, run, TOLD)
    named = [term for text in (question.options or {}).values() for term in terms_of(text, run, NAMED)]
    pairs = product(told, named) if named else ((a, b) for n, a in enumerate(told) for b in told[n + 1 :])
    paths = [path for a, b in pairs if a != b for path in graph.path(a, b, limit=1, max_length=LONGEST)]
    texts = {_told(path, run, language): path for path in paths}
    best = _nearest(question.text, list(texts), run)[:PATHS]
    run.note("reasoning.paths", {"question": question.text, "from": told, "to": named}, best)
    return [
        Evidence(id=f"path:{'-'.join(texts[text].nodes)}", kind="path", text=text, source=_source(texts[text].edges))
        for text in best
    ]


def sentence(edge: Edge, run: Run, language: Language) -> str:
    """An edge in words, with how often where that is known."""
    graph, said = run.resources.graph, prompts("relations")[language].get(edge.relation, edge.relation)
    written = edge.frequency_text or ""
    often = f" ({graph.label(written, language).lower() if written.startswith('HP:') else written})" if written else ""
    first, second = graph.label(edge.subject, language), graph.label(edge.object, language)
    return f"{first}{said}{second}{often}。" if language == "zh" else f"{first} {said} {second}{often}."


def _told(path: Path, run: Run, language: Language) -> str:
    return " ".join(sentence(edge, run, language) for edge in path.edges)


def _nearest(question: str, texts: Sequence[str], run: Run) -> list[str]:
    if not texts:
        return []
    embedder = run.resources.embedder
    cosines = embedder.embed_passages(texts) @ embedder.embed_queries([question])[0]
    return [texts[place] for place in (-cosines).argsort(kind="stable")]


def _source(edges: Iterable[Edge]) -> Source:
    return Source(title=", ".join(dict.fromkeys(edge.source for edge in edges)) or None)
