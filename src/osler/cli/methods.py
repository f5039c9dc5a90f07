"""`osler methods`: the ways to answer a question, where each comes from, what it costs and what it reached."""

import click

from osler.cli.options import common, output
from osler.settings import Settings


@click.command()
@common
def command(json_out: bool, settings: Settings) -> None:
    """The ways to answer a question (`osler ask --method NAME`), with paper, cost and figures.

    Figures are those of the last run of each task in this home, else those that Osler was shipped with.
    """
    from osler.bench.method_figures import method_figures
    from osler.reasoning.registry import methods

    figures = method_figures(settings)
    rows = [
        {
            "name": one.name,
            "about": one.about,
            "paper": one.paper,
            "calls": one.calls,
            "writes": one.writes,
            "figures": [row for row in figures if row.method == one.name],
        }
        for one in methods().values()
    ]
    output(json_out, {"methods": rows}, "methods")
