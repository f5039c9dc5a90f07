"""`osler ingest`: documents into a library, resumable, bad files reported."""

import time
from pathlib import Path
from typing import Any

import click

from osler.cli.options import common, say
from osler.cli.progress import progress
from osler.errors import UsageError
from osler.settings import Settings

TOLD_EVERY = 0.5  # seconds between two entries of the job's progress


@click.command()
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
@click.option("--library", "name", required=True, help="Which library; made if it doesn't exist.")
@click.option("--collection", help="Name of the source, to filter by; default: the library's name.")
@click.option("--licence", help="Licence of documents that don't say theirs.")
@click.option("--year", type=click.IntRange(1000, 2999), help="Year of documents that don't say theirs.")
@click.option("--valid-from", metavar="DATE", help="When they came into force, if they don't say it.")
@click.option("--superseded-by", metavar="ID", help="What took their place, if they don't say it.")
@click.option("--retracted", is_flag=True, default=None, help="They are withdrawn: found only when asked for.")
@click.option("--prune", is_flag=True, help="Also remove documents whose file is gone from the folders.")
@click.option("--delete", "delete", multiple=True, metavar="ID", help="Remove this document instead (may be repeated).")
@common
def command(
    paths: tuple[Path, ...], name: str, prune: bool, delete: tuple[str, ...], json_out: bool, settings: Settings,
    **origin: Any,
) -> int:  # fmt: skip
    """Add files and folders to a library: PDF, HTML, DOCX, Markdown, text, PubMed and JATS XML, BEIR corpus.jsonl.

    Unchanged documents are passed over, changed ones replaced. An interrupted run is resumed by running it again.
    """
    from osler.knowledge.library import open_library
    from osler.storage import Jobs, open_database

    if bool(paths) == bool(delete):
        raise UsageError("give PATHS to add, or --delete ID")
    library = open_library(name, settings, create=not delete)
    if delete:
        counts = {identifier: library.delete(identifier) for identifier in delete}
        said = f"{sum(counts.values())} passages of {len(counts)} document(s) removed"
        say(json_out, {"deleted": counts}, said)
        return 0
    job = Jobs(open_database(settings)).start("ingest", name, {"paths": [str(path) for path in paths]})
    told = 0.0
    try:
        with progress(f"Ingesting into {name}") as report:

            def tell(done: int, total: int) -> None:
                nonlocal told
                if done == total or time.monotonic() - told > TOLD_EVERY:
                    told = time.monotonic()
                    job.progress(done, total)
                    report(done, total)

            result = library.add(paths, progress=tell, prune=prune, **origin)
    except BaseException as error:
        job.fail(str(error) or type(error).__name__)
        raise
    job.finish(f"{result.added} added, {result.replaced} replaced, {len(result.errors)} failed")
    said = (
        f"{result.added} added, {result.replaced} replaced, {result.unchanged} unchanged, {result.deleted} removed"
        f" ({result.passages} passages); library {name} {library.version[:16]}"
    )
    say(json_out, {"library": name, "version": library.version, **result.model_dump()}, said)
    if result.missing:
        click.echo(f"osler: {len(result.missing)} document(s) have lost their file; --prune removes them", err=True)
    for row in result.errors:
        click.echo(f"osler: {row['where'] or ''}: {row['message']}", err=True)
    return 1 if result.errors else 0
