"""`osler diagnose`: HPO terms to ranked diseases."""

from pathlib import Path
from typing import Any

import click

from osler.cli.options import as_jsonl, common, list_field, output, run_batch
from osler.errors import InputError
from osler.nouns import RankedDisease
from osler.settings import Settings

NAMED = (None, "general", "published")  # populations that need no table
EVERY = 10**6  # probabilities are of all diseases of the population


@click.command()
@click.argument("terms", nargs=-1, required=True, metavar="FILE | TERM...")
@click.option("--not", "absent", multiple=True, metavar="TERM", help="A finding that was looked for and is absent.")
@click.option("--sex", type=click.Choice(["male", "female"]))
@click.option("--age", metavar="DURATION", help="ISO 8601, such as P54Y; it counts with `--population general`.")
@click.option(
    "--population",
    metavar="NAME|CSV",
    help="`general`: weigh how common diseases are in general practice. `published` or a CSV of id, prevalence: add"
    " probabilities.",
)
@click.option("--top", default=100, show_default=True, type=click.IntRange(1, 20000), help="How many diseases a case.")
@as_jsonl
@common
def command(
    terms: tuple[str, ...],
    absent: tuple[str, ...],
    sex: Any,
    age: str | None,
    population: str | None,
    top: int,
    json_out: bool,
    jsonl_out: bool,
    settings: Settings,
) -> int:
    """Rank diseases for TERMs (HPO ids or names), or for each line of FILE: {"id", "observed": [HP],
    "excluded": [HP], "sex"?, "age"?, "onset"?, "exclude_references"?: [PMID]}, one JSON document a line."""
    from osler.knowledge.diagnosis import explain, load_prevalences, next_questions, prepare, rank, with_probabilities
    from osler.knowledge.graph import load_graph

    general, probable = population == "general", population is not None and population != "general"
    reference = None if population in NAMED else load_prevalences(Path(str(population)), load_graph())

    def ranking(
        observed: list[str], excluded: list[str], sex: str | None, age: str | None, references: list[str]
    ) -> tuple[list[RankedDisease], list[str]]:
        """The ranking of a case, and what became of its findings."""
        query = prepare(load_graph(), observed, excluded)
        every = EVERY if probable else top
        ranked = rank(observed, excluded, sex, age, references, every, general)
        if probable:
            ranked = with_probabilities(ranked, len(query.observed), reference)
        return ranked[:top], list(query.notes)

    def answer(row: dict[str, Any]) -> dict[str, Any]:
        sex, age = (row.get(name) if isinstance(row.get(name), str) else None for name in ("sex", "age"))
        observed, excluded = list_field(row, "observed"), list_field(row, "excluded")
        ranked, notes = ranking(observed, excluded, sex, age, list_field(row, "exclude_references"))
        keys = ("id", "equivalents", "label", "score", *(("probability", "population") if probable else ()))
        return {"ranked": [{key: getattr(item, key) for key in keys} for item in ranked], "notes": notes}

    if jsonl_out or (len(terms) == 1 and (terms[0] == "-" or Path(terms[0]).is_file())):
        return run_batch(terms[0], ("id", "observed"), answer)
    observed, excluded = [_code(term) for term in terms], [_code(term) for term in absent]
    ranked, notes = ranking(observed, excluded, sex, age, [])
    ranked = explain(ranked, observed, excluded, sex=sex, age=age, general=general)
    questions = next_questions(observed, excluded, ranked, settings.consult.questions, "en", sex)
    asked = {"observed": observed, "excluded": excluded, "notes": notes}
    output(json_out, {**asked, "ranked": ranked, "next_questions": questions}, "diagnose")
    for note in [] if json_out else notes:
        click.echo(note, err=True)
    return 0


def _code(term: str) -> str:
    """The HPO id of a name; an identifier stays as it is, for `prepare` to follow and tell of."""
    from osler.knowledge.graph import load_graph

    if load_graph().position(term) is not None:
        return term
    found = next((node for node in load_graph().resolve(term, limit=5) if node.id.startswith("HP:")), None)
    if found is None:
        raise InputError(f"no HPO term is called {term!r}", hint="`osler graph show` finds terms; a file must exist.")
    return found.id
