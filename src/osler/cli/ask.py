"""`osler ask`: a question in, an answer out whose every statement is cited and checked."""

import time
from typing import Any

import click

from osler.cli.options import as_jsonl, common, output, run_batch, system_user, text_field
from osler.errors import InputError, UsageError
from osler.nouns import dump
from osler.settings import Settings


@click.command()
@click.argument("question")
@click.option("--method", metavar="NAME", help="How to answer; default: extractive.")
@as_jsonl
@common
def command(question: str, method: str | None, json_out: bool, jsonl_out: bool, settings: Settings) -> int:
    """Answer QUESTION from the library; with --jsonl QUESTION is a file (or `-`) of one question a line."""
    started = time.perf_counter()
    if json_out and jsonl_out:
        raise UsageError("give either --json or --jsonl")
    from osler.cli.progress import prepare
    from osler.clinic.desk import Desk, Question
    from osler.reasoning.registry import find_method
    from osler.trust.mitigation import use

    method = use(method, settings.models.mitigation)
    if method is not None:
        find_method(method)
    if not jsonl_out and not question.strip():
        raise InputError("the question is empty")
    desk = Desk(settings, who=system_user())
    prepare(desk.resources)

    def ask(asked: Question) -> dict[str, Any]:
        made, evidence, _ = desk.ask(asked)
        if made.withheld and asked.method:
            from osler.models import language_model

            model = language_model(settings)
            click.echo(f"osler: {model} has no privilege to write answers; answered extractively", err=True)
        return {**dump(made), "evidence": dump(evidence)}

    if jsonl_out:
        return run_batch(question, ("question",), lambda row: ask(_question(row, method)))
    document = ask(Question(text=question, method=method))
    seconds = time.perf_counter() - started
    output(json_out, document, "answer", library=desk.resources.library, seconds=seconds)
    return 0


def _question(row: dict[str, Any], method: str | None) -> Any:
    """The question of a batch line. Raises InputError for a field of the wrong type."""
    from osler.reasoning.ask import Question

    where = row.get("where")
    options, context, identifier = row.get("options"), row.get("context"), row.get("id")
    if isinstance(options, list) and options:
        options = {chr(ord("A") + number): option for number, option in enumerate(options[:26])}
    if options is not None and not (
        isinstance(options, dict) and options and all(isinstance(o, str) and o.strip() for o in options.values())
    ):
        raise InputError("`options` must be an object or a list of texts", where=where)
    if isinstance(context, list) and all(isinstance(part, str) for part in context):
        context = "\n".join(context)
    if context is not None and (not isinstance(context, str) or not context.strip()):
        raise InputError("`context` must be a text or a list of texts", where=where)
    return Question(
        text=text_field(row, "question"),
        options=options,
        context=context,
        id=None if identifier is None else str(identifier),
        method=method,
    )
