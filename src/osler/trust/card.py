"""A model's card: fields of the Applied Model Card, filled from facts of its weights and from measurements alone.

`data/card.toml` names the fields. A field without a measurement says so. It measures nothing itself.
"""

import re
import tomllib
from collections.abc import Sequence
from importlib.resources import files
from typing import Any

from osler import __version__
from osler.bench.method_figures import method_figures
from osler.bench.pictures import template
from osler.bench.tasks import find_task
from osler.errors import InputError
from osler.ledger.chain import now
from osler.models import language_model
from osler.models.catalogue import Known, catalogue, find_weights
from osler.models.privileges import Privileges
from osler.nouns import Measurement, dump
from osler.settings import Settings
from osler.splits import SHARES


def card(settings: Settings, more: Sequence[Measurement] = ()) -> dict[str, Any]:
    """The card of the settings' model. `more`: rows that an audit printed, beside the headlines of this home's runs."""
    spec = language_model(settings)
    rows = [row for row in (*method_figures(settings), *more) if row.model == spec]
    described = tomllib.loads(files("osler.trust").joinpath("data/card.toml").read_text(encoding="utf-8"))["section"]
    patterns = [field["measured"] for section in described for field in section["field"] if field.get("measured")]
    facts, known = _facts(settings), "|".join(patterns)
    sections = [
        {"name": one["name"], "fields": [_field(field, facts, rows, known) for field in one["field"]]}
        for one in described
    ]
    return {"model": spec, "made": now(), "version": __version__, "sections": sections, "data": _data(rows)}


def _field(field: dict[str, str], facts: dict[str, str | None], rows: list[Measurement], known: str) -> dict[str, Any]:
    text, mine = field.get("text"), []
    if "fact" in field:
        text = facts.get(field["fact"]) or "Not stated."
    elif "measured" in field:
        wanted = field["measured"]
        mine = [
            row for row in rows if bool(re.search(wanted or known, f"{row.task} {row.metric}", re.I)) == bool(wanted)
        ]
        text = None if mine else "Not measured."
    return {"name": field["name"], "text": text, "rows": dump(mine)}


def _facts(settings: Settings) -> dict[str, str | None]:
    """What is known of the weights. Raises InputError or MissingComponent for a model that can't be used."""
    spec, privileges = language_model(settings), Privileges(settings)
    model: Known = catalogue(settings, privileges)[0]
    if model.problem:
        raise InputError(f"the model can't be described: {model.problem}", where=spec)
    remote = spec.startswith("openai:")
    rows = [
        f"{row.task}: {_decision(row.granted, row.measured, row.granted_by)} ({row.date[:10]})"
        for row in model.privileges
    ]
    size = f"{model.size / 1e6:,.0f} MB, " if model.size else ""
    return {
        "spec": spec,
        "digest": model.digest,
        "licence": model.licence,
        "adapter": model.adapter or "none",
        "architecture": None if remote else find_weights(spec, settings).header.architecture,
        "size": f"{size}{model.context:,} tokens" if model.context else None,
        "privileges": "; ".join(rows) or "Not measured: none; answers stay extractive.",
    }


def _decision(granted: bool, measured: dict[str, Any] | None, by: str | None) -> str:
    said = "granted" if granted else "refused"
    return (
        f"{said} on {measured.get('metric')} {measured.get('value')}, n = {measured.get('n')}"
        if measured
        else f"{said} by {by}, not measured"
    )


def _data(rows: Sequence[Measurement]) -> list[dict[str, Any]]:
    """A line for each data set that was measured on."""
    found = []
    for name in dict.fromkeys(row.task for row in rows):
        hashes = sorted({row.data_hash[:16] for row in rows if row.task == name and row.data_hash})
        try:
            task = find_task(name)
            about = {"about": task.about, "licence": task.licence, "file": task.path.rpartition("osler/")[2]}
            group = SHARES[task.data_set][3] if task.data_set in SHARES else "undivided"
        except (InputError, AttributeError):  # a user's own file that has gone, or rows of no task
            about, group = {"about": "not stated", "licence": "not stated", "file": "not stated"}, "not stated"
        found.append({"task": name, **about, "group": group, "hashes": hashes})
    return found


def markdown(it: dict[str, Any]) -> str:
    return template("card.md.jinja", "osler.trust").render(it=it)


def html(it: dict[str, Any]) -> str:
    from markdown_it import MarkdownIt

    body = MarkdownIt("commonmark", {"html": False}).enable("table").render(markdown(it))
    return template("card.html.jinja", "osler.trust").render(body=body)
