"""`osler ask`: a question in, an answer out whose every statement is cited and checked."""

import time
from typing import Any

import click

from osler.cli.options import as_json, as_jsonl, dump, print_json, run_batch, text_field, with_settings
from osler.errors import InputError, UsageError
from osler.settings import Settings


@click.command()
@click.argument("question")
@click.option("--method", metavar="NAME", help="How to answer; default: extractive.")
@as_json
@as_jsonl
@with_settings
def command(question: str, method: str | None, json_out: bool, jsonl_out: bool, settings: Settings) -> int:
    """Answer QUESTION from the library; with --jsonl QUESTION is a file (or `-`) of one question a line."""
    started = time.perf_counter()
    if json_out and jsonl_out:
        raise UsageError("give either --json or --jsonl")
    from osler.cli.progress import prepare
    from osler.ledger import Ledger
    from osler.reasoning.ask import Question, answer
    from osler.reasoning.registry import find_method
    from osler.reasoning.resources import Resources, Run

    if method is not None:
        find_method(method)
    if not jsonl_out and not question.strip():
        raise InputError("the question is empty")
    resources = Resources(settings)
    ledger = Ledger.open(settings)
    prepare(resources)

    def ask(asked: Question) -> tuple[dict[str, Any], Run]:
        run = Run(resources, "ask")
        made = answer(asked, run)
        if made.withheld and asked.method:
            model = settings.models.language
            click.echo(f"osler: {model} has no privilege to write answers; answered extractively", err=True)
        output = {"answer": dump(made), "evidence": dump(list(run.evidence.values()))}
        trace = run.trace(made.method)
        ledger.append("ask", {"input": asked.model_dump(), "trace": dump(trace), "output": output}, id=run.id)
        return output, run

    if jsonl_out:

        def line(row: dict[str, Any]) -> dict[str, Any]:
            output, _ = ask(_question(row, method))
            return {**output["answer"], "evidence": output["evidence"]}

        return run_batch(question, ("question",), line)
    output, run = ask(Question(text=question, method=method))
    if json_out:
        print_json({**output["answer"], "evidence": output["evidence"]})
    else:
        _show(output, run, time.perf_counter() - started)
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


def _show(output: dict[str, Any], run: Any, seconds: float) -> None:
    from rich.text import Text

    from osler.cli.show import console, show_statements
    from osler.nouns import Answer, Evidence

    made = Answer(**output["answer"])
    if made.abstained:
        console().print(Text(f"No answer: {made.abstained.reason}.", style="yellow"))
        if made.abstained.missing:
            console().print(f"  Missing: {'; '.join(made.abstained.missing)}.")
    if made.choice:
        held = ", ".join(f"{key} {share:.0%}" for key, share in (made.shares or {}).items())
        sure = f"  chance {made.confidence:.0%}" if made.confidence is not None else ""
        console().print(Text.assemble((f"  {made.choice}", "bold"), (f"{sure}  {held}" if held else "", "dim")))
    show_statements(made.statements, [Evidence(**item) for item in output["evidence"]])
    if made.next_question:
        console().print(Text(f"\n  Ask next: {made.next_question}"))
    model = made.model.spec if made.model else made.withheld or "no language model used"
    library = run.resources.library
    console().print()
    console().print(
        Text(
            f"For professional review · {made.method}, {model} · library {library.name} {library.version[:8]} · "
            f"{seconds:.1f} s · ledger entry {run.id} · replay: osler ledger replay {run.id}",
            style="dim",
        )
    )
