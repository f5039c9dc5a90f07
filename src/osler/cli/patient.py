"""`osler learn patient`: an interview with a virtual patient, typed or piped, with its score and debrief at the end."""

import sys
from collections.abc import Iterator
from typing import Any

import click

from osler.cli.options import common, output
from osler.errors import InputError, OslerError
from osler.settings import Settings

DIRECTIONS = ("for", "against", "neither")
HELP = """Ask in your own words. /exam PART · /test NAME · /for, /against or /neither FINDING: DISEASE (what it means)
/diagnose A; B; C (the likeliest first) · /plan ... · /end (score and debrief)"""


@click.command()
@click.argument("case", metavar="CASE")
@click.option("--diagnosis", metavar="NAME", help="What is asked for, where a record has several problems.")
@common
def command(case: str, diagnosis: str | None, json_out: bool, settings: Settings) -> None:
    """Interview the patient of CASE: a script (TOML), an AgentClinic case (FILE#ID), a phenopacket or a FHIR record.

    Lines are read from the terminal, or from standard input, one a turn. /exam PART and /test NAME ask for results,
    /diagnose A; B; C and /plan commit, /end (or the end of the input) gives the score.
    """
    from osler.cli.progress import prepare
    from osler.cli.show import show_page
    from osler.education.patient import Interview, mark, read_script
    from osler.nouns import dump
    from osler.reasoning.resources import Resources, Run

    run = Run(Resources(settings), "patient")
    interview = Interview(script=read_script(case, diagnosis))
    prepare(run.resources)
    typed, quiet = sys.stdin.isatty(), json_out
    if not quiet:
        show_page("patient_opening", it=interview.script, help=HELP if typed else "")
    for line in _lines(typed):
        name, _, rest = line.partition(" ")
        if name == "/end":
            break
        try:
            committed = _committed(interview, name, rest)
        except OslerError as error:
            if not typed:
                raise
            click.echo(f"osler: {error}", err=True)
            continue
        if committed is not None:
            interview = committed
            continue
        interview, reply = interview.ask(line, run)
        if not quiet:
            show_page("patient_turn", it=reply, asked=None if typed else line)
    marked = mark(interview, run)
    document = {
        "case": dump(interview.script),
        "turns": dump(interview.turns),
        "differential": interview.differential,
        "plan": interview.plan,
        "opinions": dump(interview.opinions),
        **dump(marked),
    }
    output(json_out, document, "patient")


def _lines(typed: bool) -> Iterator[str]:
    """The learner's lines until the input ends; empty ones are passed over."""
    while True:
        if typed:
            click.echo("> ", nl=False)
        line = sys.stdin.readline()
        if not line:
            return
        if line.strip():
            yield line.strip()


def _committed(interview: Any, name: str, rest: str) -> Any:
    """The interview with what a command of the learner commits to; None for a line to the patient."""
    from osler.education.patient import Opinion

    if name == "/diagnose":
        named = [one.strip() for one in rest.replace("；", ";").split(";") if one.strip()]
        if not named:
            raise InputError("no diagnosis is named", where="/diagnose", hint="Write /diagnose A; B; C.")
        return interview.model_copy(update={"differential": named})
    if name == "/plan":
        return interview.model_copy(update={"plan": rest.strip() or None})
    if name[1:] in DIRECTIONS and name.startswith("/"):
        finding, colon, disease = rest.replace("：", ":").rpartition(":")
        if not colon or not finding.strip() or not disease.strip():
            raise InputError(
                "a finding and a disease were expected", where=name, hint=f"Write {name} FINDING: DISEASE."
            )
        said = Opinion.model_validate({"finding": finding.strip(), "disease": disease.strip(), "direction": name[1:]})
        return interview.model_copy(update={"opinions": [*interview.opinions, said]})
    if name.startswith("/") and name not in ("/exam", "/test"):
        raise InputError(f"unknown command {name}", hint=HELP)
    return None
