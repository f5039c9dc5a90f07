"""Numbers as pictures: SVG text that stands inside a page, needs no script and reads in print and by screen readers.

One message a picture, labelled directly, intervals drawn, the baseline shown. Colours are the page's (CSS variables).
It knows no task.
"""

from collections.abc import Sequence
from html import escape
from typing import NamedTuple

from osler.bench.statistics import Bin, Floats, wilson

SIZE, LEFT, TOP, RIGHT, BOTTOM = 300, 46, 14, 12, 40  # of a square plot and its margins, CSS pixels
BAR, NAMES, LINE = 300, 210, 22  # of horizontal bars: length, room for names, height of a row


class Row(NamedTuple):
    """A bar: a share from 0 to 1, its interval, how many."""

    name: str
    value: float
    interval: tuple[float, float] | None
    n: int


def reliability_diagram(bins: Sequence[Bin]) -> str:
    """Share right over confidence, with the diagonal; the area of a point is its number of items."""
    most = max((row.n for row in bins), default=1)
    points = "".join(
        f'<circle cx="{_x(row.confidence):.1f}" cy="{_y(row.right):.1f}" class="mark" '
        f'r="{2 + 7 * (row.n / most) ** 0.5:.1f}">'
        f"<title>confidence {row.confidence:.2f}, right {row.right:.2f}, n = {row.n}</title></circle>"
        for row in bins
    )
    for row in bins:
        low, high = wilson(round(row.right * row.n), row.n)
        points += f'<path d="M{_x(row.confidence):.1f} {_y(low):.1f}V{_y(high):.1f}" class="whisker"/>'
    diagonal = f'<path d="M{_x(0)} {_y(0)}L{_x(1)} {_y(1)}" class="guide"/>'
    line = _path([(row.confidence, row.right) for row in bins])
    return _plot("Reliability: share right by confidence", "confidence", "right", diagonal + line + points)


def coverage_picture(curves: Sequence[tuple[str, Floats, Floats]]) -> str:
    """Accuracy over coverage for each (name, coverage, accuracy); the last point is answering everything."""
    body = ""
    for number, (name, coverage, accuracy) in enumerate(curves):
        pairs = list(zip(coverage.tolist(), accuracy.tolist(), strict=True))
        step = max(1, len(pairs) // 200)
        body += _path([*pairs[::step], pairs[-1]], f"line line{number % 4}")
        y = _y(pairs[-1][1]) + (4 if number % 2 == 0 else -6)
        body += f'<text x="{_x(1) - 4}" y="{y:.1f}" class="label" text-anchor="end">{escape(name)}</text>'
    return _plot("Accuracy when only the surest are answered", "share answered", "accuracy", body)


def bars(title: str, rows: Sequence[Row], whole: float | None = None) -> str:
    """Horizontal bars with intervals; `whole`, the value over all of them, is a vertical line."""
    height = TOP + LINE * len(rows) + 26
    body = ""
    for number, row in enumerate(rows):
        y = TOP + LINE * number
        body += f'<text x="{NAMES - 8}" y="{y + 14}" class="label" text-anchor="end">{escape(_cut(row.name))}</text>'
        body += f'<rect x="{NAMES}" y="{y + 4}" width="{BAR * row.value:.1f}" height="12" class="bar"/>'
        if row.interval is not None:
            low, high = (NAMES + BAR * end for end in row.interval)
            body += (
                f'<path d="M{low:.1f} {y + 10}H{high:.1f}M{low:.1f} {y + 6}v8M{high:.1f} {y + 6}v8" class="whisker"/>'
            )
        body += (
            f'<text x="{NAMES + BAR + 10}" y="{y + 14}" class="value">{row.value:.2f}'
            f' <tspan class="n">n {row.n}</tspan></text>'
        )
    if whole is not None:
        x, end = NAMES + BAR * whole, TOP + LINE * len(rows)
        body += f'<path d="M{x:.1f} {TOP}V{end}" class="guide"/>'
        body += f'<text x="{x:.1f}" y="{end + 16}" class="label" text-anchor="middle">all {whole:.2f}</text>'
    return _svg(title, NAMES + BAR + 110, height, body)


def _plot(title: str, across: str, up: str, body: str) -> str:
    axes = "".join(
        f'<path d="M{_x(0)} {_y(k / 4):.1f}H{_x(1)}" class="grid"/>'
        f'<text x="{LEFT - 6}" y="{_y(k / 4) + 4:.1f}" class="label" text-anchor="end">{k / 4:g}</text>'
        f'<text x="{_x(k / 4):.1f}" y="{_y(0) + 16}" class="label" text-anchor="middle">{k / 4:g}</text>'
        for k in range(5)
    )
    middle = TOP + SIZE / 2
    names = (
        f'<text x="{_x(0.5):.1f}" y="{_y(0) + 34}" class="axis" text-anchor="middle">{across}</text>'
        f'<text transform="translate(12 {middle}) rotate(-90)" class="axis" text-anchor="middle">{up}</text>'
    )
    return _svg(title, LEFT + SIZE + RIGHT, TOP + SIZE + BOTTOM, axes + names + body)


def _svg(title: str, width: float, height: float, body: str) -> str:
    head = f'<svg role="img" viewBox="0 0 {width:g} {height:g}" width="{width:g}" xmlns="http://www.w3.org/2000/svg">'
    return f"{head}<title>{escape(title)}</title>{body}</svg>"


def _path(points: Sequence[tuple[float, float]], kind: str = "line line0") -> str:
    if not points:
        return ""
    steps = "L".join(f"{_x(x):.1f} {_y(y):.1f}" for x, y in points)
    return f'<path d="M{steps}" class="{kind}"/>'


def _cut(name: str) -> str:
    return name if len(name) <= 34 else f"{name[:33]}…"


def _x(share: float) -> float:
    return LEFT + SIZE * share


def _y(share: float) -> float:
    return TOP + SIZE * (1 - share)
