"""`osler calc`: the calculators there are, what one asks for, and a calculation."""

import click

from osler.cli.options import as_json, output
from osler.errors import InputError, UsageError


@click.command()
@click.argument("name", required=False)
@click.argument("values", nargs=-1)
@as_json
def command(name: str | None, values: tuple[str, ...], json_out: bool) -> None:
    """Compute calculator NAME from key=value pairs; NAME alone shows its inputs, nothing lists all.

    A value may carry its unit: creatinine="88 umol/L".
    """
    from osler.reasoning.calculators import calculate, calculators, described, find, pairs
    from osler.text import has_chinese

    if not name:
        output(json_out, [described(one) for one in calculators().values()], "calculators")
        return
    one = find(name)
    if values:
        try:
            given = pairs(values)
        except InputError as error:
            raise UsageError(error.message) from None
        made = calculate(name, given, chinese=has_chinese(name) and not json_out)
        output(json_out, {"id": one.id, **made._asdict(), "notice": "for professional review"}, "calc", one=one)
        return
    output(json_out, [described(one, inputs=True)], "calculator", one=one)
