"""`osler search`: one query to read, or a file of queries to a TREC run."""

from pathlib import Path
from typing import Any

import click

from osler.cli.options import common, output, rows, text_field
from osler.cli.progress import progress
from osler.errors import InputError, UsageError
from osler.settings import Settings


@click.command()
@click.argument("query", required=False)
@click.option("--library", "name", help="Which library; default: the setting library.default.")
@click.option("-k", "k", default=10, show_default=True, type=click.IntRange(1, 1000), help="How many results.")
@click.option("--mode", type=click.Choice(["hybrid", "bm25", "vector"]), default="hybrid", show_default=True)
@click.option("--year-from", type=int, help="Only passages of this year or later.")
@click.option("--year-to", type=int, help="Only passages of this year or earlier.")
@click.option("--collection", multiple=True, help="Only this collection (may be given again).")
@click.option("--licence", multiple=True, help="Only this licence (may be given again).")
@click.option("--language", type=click.Choice(["en", "zh"]), help="Only passages in this language.")
@click.option("--queries", type=click.Path(path_type=Path), help='Batch: lines of {"_id" or "id", "text"}.')
@click.option("--run", "run_file", type=click.Path(path_type=Path), help="Where the TREC run of --queries goes.")
@common
def command(
    query: str | None,
    name: str | None,
    k: int,
    mode: Any,
    queries: Path | None,
    run_file: Path | None,
    json_out: bool,
    settings: Settings,
    **wanted: Any,
) -> int:
    """Search a library for QUERY, or for every query of a file with --queries and --run."""
    from osler.knowledge.library import Filters, open_library, run_queries

    if (query is None) == (queries is None):
        raise UsageError("give either a QUERY or --queries FILE")
    if queries is not None and run_file is None:
        raise UsageError("--queries needs --run FILE for the TREC run")
    given: dict[str, Any] = {key: value or None for key, value in wanted.items()}
    filters = Filters(**given)
    with progress("Unpacking the starter library") as report:
        library = open_library(name or settings.library.default, settings, progress=report)
    if queries is None:
        found = library.search(query or "", k=k, filters=filters, mode=mode)
        document = {"query": query, "library": library.name, "version": library.version, "results": found}
        output(json_out, document, "search")
        return 0
    assert run_file is not None
    if not run_file.parent.is_dir():
        raise InputError("no such folder", where=str(run_file.parent))
    asked, failed = _queries(str(queries))
    draft = run_file.with_name(f".{run_file.name}.draft")
    try:
        with draft.open("w", encoding="utf-8") as out:
            lines = run_queries(library, asked.items(), k=k, filters=filters, mode=mode)
            out.writelines(f"{line}\n" for line in lines)
        draft.replace(run_file)
    finally:
        draft.unlink(missing_ok=True)
    click.echo(f"osler: {len(asked)} queries answered, {failed} could not be read", err=True)
    return 1 if failed else 0


def _queries(path: str) -> tuple[dict[str, str], int]:
    """Texts of the queries that can be asked by their ids, and how many can't; the reasons go to standard error."""
    from osler.knowledge.library.library import check_query

    asked: dict[str, str] = {}
    failed = 0
    for row, fault in rows(path, ("text",)):
        try:
            if fault is not None:
                raise fault
            name = row.get("_id", row.get("id"))
            if not isinstance(name, str | int) or name == "" or str(name) in asked:
                why = "repeats an earlier one" if str(name) in asked else "must be a text or a number"
                raise InputError(f"`_id` {why}", where=row["where"])
            text = text_field(row, "text")
            check_query(text)
            asked[str(name)] = text
        except InputError as error:
            click.echo(f"osler: {error.where or row.get('where')}: {error.message}", err=True)
            failed += 1
    return asked, failed
