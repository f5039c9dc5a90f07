"""`osler diagnose`: lists of HPO terms to ranked diseases."""

from typing import Any

import click

from osler.cli.options import as_jsonl, list_field, run_batch, with_settings
from osler.settings import Settings


@click.command()
@click.argument("file")
@click.option("--top", default=100, show_default=True, type=click.IntRange(1, 20000), help="How many diseases a case.")
@as_jsonl
@with_settings
def command(file: str, top: int, jsonl_out: bool, settings: Settings) -> int:
    """Rank diseases for each line of FILE: {"id", "observed": [HP], "excluded": [HP], "sex"?, "age"?, "onset"?,
    "exclude_references"?: [PMID]}. Output is one JSON document a line with or without --jsonl."""
    from osler.knowledge.diagnosis import rank

    def answer(row: dict[str, Any]) -> dict[str, Any]:
        ranked = rank(
            list_field(row, "observed"),
            list_field(row, "excluded"),
            sex=row.get("sex"),
            age=row.get("age"),
            onset=row.get("onset"),
            exclude_references=list_field(row, "exclude_references"),
            top=top,
        )
        keys = ("id", "equivalents", "label", "score")
        return {"ranked": [{key: getattr(item, key) for key in keys} for item in ranked]}

    return run_batch(file, ("id", "observed"), answer)
