"""`osler calc`: the calculators there are, what one asks for, and a calculation."""

import click

from osler.cli.options import as_json, print_json
from osler.errors import UsageError


@click.command()
@click.argument("name", required=False)
@click.argument("values", nargs=-1)
@as_json
def command(name: str | None, values: tuple[str, ...], json_out: bool) -> int:
    """Compute calculator NAME from key=value pairs; NAME alone shows its inputs, nothing lists all.

    A value may carry its unit: creatinine="88 umol/L".
    """
    from osler.cli.show import console, plain_table
    from osler.reasoning.calculators import calculate, calculators, find

    pairs = [value.partition("=") for value in values]
    if bad := [key for key, sign, _ in pairs if not sign] or [
        k for k, *_ in pairs if [p[0] for p in pairs].count(k) > 1
    ]:
        raise UsageError(f"{bad[0]!r}: write each input once as key=value")
    if name and pairs:
        made = calculate(name, {key.strip(): value.strip() for key, _, value in pairs})
        if json_out:
            print_json({"id": find(name).id, **made._asdict(), "notice": "for professional review"})
            return 0
        lines = [f"{made.name}: {made.value} {made.unit}".rstrip(), made.interpretation]
        lines += [f"  {label}: {value:g}" for label, value in made.steps]
        lines += [f"  given: {key} {value}" for key, value in made.inputs.items()]
        lines += [f"Not given, taken as absent or default: {', '.join(made.missing)}"] if made.missing else []
        for line in (*lines, made.citation, "For professional review."):
            console().print(line, markup=False, soft_wrap=False) if line else None
        return 0
    shown = [find(name)] if name else list(calculators().values())
    if json_out:
        print_json([{f: getattr(one, f) for f in ("id", "en", "zh", "about", "unit", "cite")} for one in shown])
        return 0
    table = plain_table("input", "label", "unit or choices", "range") if name else plain_table("id", "name", "purpose")
    for one in shown:
        for i in one.inputs if name else ():
            units = " | ".join(filter(None, [i.unit, *i.units])) or " | ".join(row[0] for row in i.options) or i.kind
            need = "" if i.required or (i.kind != "yes-no" and i.default is None) else " (optional)"
            table.add_row(i.key, i.en + need, units, f"{i.range[0]:g} to {i.range[1]:g}" if i.range else "")
        if not name:
            table.add_row(one.id, f"{one.en} {one.zh}", one.about)
    console().print(table)
    return 0
