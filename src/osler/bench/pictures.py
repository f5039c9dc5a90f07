"""Numbers as pictures for a page (`pages/pictures.svg.jinja` draws them). It knows no task."""

import functools
from collections.abc import Sequence
from typing import Any

import jinja2

from osler.bench.figures import Figure
from osler.statistics import Bin, Floats, wilson

POINTS = 200  # of a curve, about


def template(name: str, room: str = "osler.bench") -> jinja2.Template:
    """A template of a room's `pages/`, escaping what data says; it may extend this room's."""
    environment = jinja2.Environment(
        loader=jinja2.ChoiceLoader(
            [jinja2.PackageLoader(one, "pages") for one in dict.fromkeys((room, "osler.bench"))]
        ),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["interval"] = lambda pair: f"[{pair[0]:.3f}, {pair[1]:.3f}]" if pair else ""
    return environment.get_template(name)


def reliability_diagram(bins: Sequence[Bin]) -> str:
    """Share right over confidence, with the diagonal; the area of a point is its number of items."""
    points = [(row.confidence, row.right, row.n, wilson(round(row.right * row.n), row.n)) for row in bins]
    return _drawn("reliability", points, max((row.n for row in bins), default=1))


def coverage_picture(curves: Sequence[tuple[str, Floats, Floats]]) -> str:
    """Accuracy over coverage for each (name, coverage, accuracy); the last point is answering everything."""
    named = []
    for name, coverage, accuracy in curves:
        pairs = list(zip(coverage.tolist(), accuracy.tolist(), strict=True))
        named.append((name, [*pairs[:: max(1, len(pairs) // POINTS)], pairs[-1]]))
    return _drawn("coverage", named)


def bars(title: str, rows: Sequence[Figure], whole: float | None = None) -> str:
    """Shares as horizontal bars with intervals; `whole`, the value over all of them, is a vertical line."""
    return _drawn("bars", title, rows, whole)


def _drawn(macro: str, *values: Any) -> str:
    return str(getattr(_macros(), macro)(*values)).strip()


@functools.cache
def _macros() -> Any:
    return template("pictures.svg.jinja").module
