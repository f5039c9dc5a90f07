"""`osler diagnose`: HPO terms to ranked diseases."""

from pathlib import Path
from typing import Any

import click

from osler.cli.options import as_json, as_jsonl, list_field, print_json, run_batch, with_settings
from osler.errors import InputError
from osler.settings import Settings


@click.command()
@click.argument("terms", nargs=-1, required=True, metavar="FILE | TERM...")
@click.option("--not", "absent", multiple=True, metavar="TERM", help="A finding that was looked for and is absent.")
@click.option("--sex", type=click.Choice(["male", "female"]))
@click.option("--top", default=100, show_default=True, type=click.IntRange(1, 20000), help="How many diseases a case.")
@as_json
@as_jsonl
@with_settings
def command(
    terms: tuple[str, ...],
    absent: tuple[str, ...],
    sex: Any,
    top: int,
    json_out: bool,
    jsonl_out: bool,
    settings: Settings,
) -> int:
    """Rank diseases for TERMs (HPO ids or names), or for each line of FILE: {"id", "observed": [HP],
    "excluded": [HP], "sex"?, "age"?, "onset"?, "exclude_references"?: [PMID]}, one JSON document a line."""
    from osler.knowledge.diagnosis import explain, next_questions, prepare, rank
    from osler.knowledge.graph import load_graph

    def answer(row: dict[str, Any]) -> dict[str, Any]:
        observed, excluded = list_field(row, "observed"), list_field(row, "excluded")
        notes = prepare(load_graph(), observed, excluded).notes
        ranked = rank(
            observed,
            excluded,
            sex=row.get("sex"),
            age=row.get("age"),
            onset=row.get("onset"),
            exclude_references=list_field(row, "exclude_references"),
            top=top,
        )
        keys = ("id", "equivalents", "label", "score")
        return {"ranked": [{key: getattr(item, key) for key in keys} for item in ranked], "notes": list(notes)}

    if jsonl_out or (len(terms) == 1 and (terms[0] == "-" or Path(terms[0]).is_file())):
        return run_batch(terms[0], ("id", "observed"), answer)
    observed, excluded = [_code(term) for term in terms], [_code(term) for term in absent]
    ranked = explain(rank(observed, excluded, sex=sex, top=top), observed, excluded)
    questions = next_questions(observed, excluded, ranked, settings.consult.questions, "en", sex)
    if json_out:
        print_json({"observed": observed, "excluded": excluded, "ranked": ranked, "next_questions": questions})
    else:
        from osler.cli.show_consult import show_differential, show_questions

        show_differential(ranked, rows=10)
        show_questions(questions)
    return 0


def _code(term: str) -> str:
    """The HPO id of an id or a name."""
    from osler.knowledge.graph import load_graph

    found = next((node for node in load_graph().resolve(term, limit=5) if node.id.startswith("HP:")), None)
    if found is None:
        raise InputError(f"no HPO term is called {term!r}", hint="`osler graph show` finds terms; a file must exist.")
    return found.id
