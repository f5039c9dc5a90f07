"""`osler methods`: the ways to answer a question, where each comes from, what it costs and what it reached."""

import click

from osler.cli.options import as_json, dump, print_json, with_settings
from osler.settings import Settings


@click.command()
@as_json
@with_settings
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
            "figures": [dump(row) for row in figures if row.method == one.name],
        }
        for one in methods().values()
    ]
    if json_out:
        print_json({"methods": rows})
        return
    from rich.text import Text

    from osler.cli.show import console, indented

    for one in rows:
        console().print(Text.assemble((one["name"], "bold"), (f"  model calls: {one['calls']}", "dim")))
        indented(one["about"])
        indented(Text(one["paper"], style="dim"))
        for row in one["figures"]:
            low, high = row["interval"] or (None, None)
            span = f" [{low:.3f}, {high:.3f}]" if low is not None else ""
            said = f"{row['task']} {row['metric']} {row['value']:.3f}{span}, n {row['n']}, {row['model'] or 'no model'}"
            indented(Text(said, style="cyan"))
    console().print()
    console().print(
        Text("osler bench run TASK --method NAME measures one; docs/how-answering-works.md explains.", style="dim")
    )
