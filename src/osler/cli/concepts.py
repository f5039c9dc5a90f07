"""`osler concepts`: text to phenotypes, diseases and drugs, with their context."""

from typing import Any

import click

from osler.cli.options import as_jsonl, common, output, run_batch, text_field
from osler.nouns import dump
from osler.settings import Settings


@click.command()
@click.argument("file")
@click.option("--vocabulary", default="all", show_default=True, help="Comma-separated: hpo, disease, drug, all.")
@as_jsonl
@common
def command(file: str, vocabulary: str, json_out: bool, jsonl_out: bool, settings: Settings) -> int:
    """Find concepts in FILE: plain text, or with --jsonl lines of {"id", "text"}; `-` reads standard input."""
    from osler.knowledge.concepts.recogniser import load_recogniser

    recogniser = load_recogniser(tuple(part.strip() for part in vocabulary.split(",")))
    if jsonl_out:

        def answer(row: dict[str, Any]) -> dict[str, Any]:
            return {"findings": dump(recogniser.find(text_field(row, "text"), str(row["id"])))}

        return run_batch(file, ("id", "text"), answer)
    from osler.record.source import decode, load

    output(json_out, {"findings": recogniser.find(decode(load(file), file))}, "concepts")
    return 0
