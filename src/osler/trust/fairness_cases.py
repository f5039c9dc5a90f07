"""The consult asked of the same records of other people: what moves in differential, red flags, alerts and findings.

A record is a FHIR bundle (fields and free text are changed) or a text. Sex and age may move a differential with reason:
inheritance, and how common a disease is in whom. It says what moved, not whether that was right; nothing is kept.
"""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from osler import __version__
from osler.bench.figures import share
from osler.clinic.consult import Consult, consult
from osler.errors import InputError
from osler.nouns import Measurement
from osler.reasoning.resources import Resources
from osler.record import read_text
from osler.record.source import decode, load
from osler.settings import Settings
from osler.trust.swaps import attributes, swap
from osler.trust.swaps_fhir import swap_resource

LEADING = 5


class Moved(NamedTuple):
    """What is not as in the record as it came. `file`, `attribute`, `value`: whose record, and what was changed."""

    file: str
    attribute: str
    value: str
    what: dict[str, bool]


def case_rows(paths: Sequence[Path], settings: Settings, only: Sequence[str] = ()) -> list[Measurement]:
    """For each attribute, in what share of the changed records each part of the consult moved.

    Raises InputError for a record that can't be read, or an attribute there is none of.
    """
    known = attributes()
    if missing := [name for name in only if name not in known]:
        raise InputError(f"no attribute {missing[0]!r}", hint=f"There are: {', '.join(known)}.")
    resources = Resources(settings)
    found = [one for path in paths for one in _moved(path, resources, only or list(known))]
    rows = []
    for name in dict.fromkeys(one.attribute for one in found):
        mine = [one for one in found if one.attribute == name]
        for what in mine[0].what:
            figure = share(f"{what}: {name}", sum(one.what[what] for one in mine), len(mine))
            about = {"model": None, "method": None, "split": "all", "versions": {"osler": __version__}, "seconds": 0.0}
            rows.append(Measurement(task="consult", **about, **figure._asdict()))
    return rows


def _moved(path: Path, resources: Resources, names: Sequence[str]) -> Iterator[Moved]:
    text = decode(load(path), str(path))
    said = None
    for name in names:
        for value in attributes()[name]:
            new = _changed(text, name, value, str(path))
            if new is not None:
                said = said or _said(text, path.name, resources)
                now = _said(new, path.name, resources)
                yield Moved(str(path), name, value, {what: said[what] != now[what] for what in said})


def _changed(text: str, attribute: str, value: str, where: str) -> str | None:
    """The record of a patient of the group; None where it is one already, or where that bears on the medicine."""
    if text.lstrip("\ufeff \n\t\r")[:1] == "{":
        try:
            made, _ = swap_resource(json.loads(text), attribute, value)
        except (ValueError, RecursionError) as error:
            raise InputError(f"malformed JSON: {error}", where=where) from None
        return None if made is None else json.dumps(made, ensure_ascii=False)
    swapped = swap(text, attribute, value)
    if swapped.why == "absent":
        swapped = swap(text, attribute, value, insert=True)
    return None if swapped.text is None or swapped.text.casefold() == text.casefold() else swapped.text


def _said(text: str, name: str, resources: Resources) -> dict[str, Any]:
    made: Consult = consult(read_text(text, name=name), resources).consult
    leading = [item.id for item in made.differential[:LEADING]]
    return {
        "leading disease turned": leading[:1],
        f"first {LEADING} changed": set(leading),
        "red flags changed": {item.label for item in made.red_flags},
        "alerts changed": {(item.kind, *item.drugs) for item in made.alerts},
        "findings changed": {(item.code, item.status) for item in made.findings},
    }
