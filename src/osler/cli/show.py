"""Pages in a terminal: width-aware, coloured only there, calm. It decides nothing.

`pages/NAME.jinja` writes a page in lines of rich's markup. A line's indentation holds where it wraps, too; lines of `|`
are a table, heads first (a head ending in `~5` takes five shares of the width). What is filled in is taken literally.
"""

import re
import sys
from datetime import datetime
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import Any

import jinja2
from rich.cells import cell_len
from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from osler.text import has_chinese, shorten

# What would be read as markup, a cell or a line stands for itself in what is filled in.
_HIDE = str.maketrans("\n|[\\", "\ue000\ue001\ue002\ue003")
# What stays on one line: a Chinese character with the marks behind it, or a run of anything else.
_HAN = r"\u3000-\u303f\u3400-\u9fff\uff00-\uffef"
_PIECE = re.compile(rf"[{_HAN}][，。；：、）】》”’！？]*\s*|[^\s{_HAN}]+\s*|\s+")
_SHOW = {hidden: plain for plain, hidden in _HIDE.items()}


@cache
def console() -> Console:
    """Standard output. Piped output gets 100 columns and no colour; rich itself honours NO_COLOR."""
    return Console(highlight=False, width=None if sys.stdout.isatty() else 100)


def show_page(name: str, **values: Any) -> None:
    """Print the page `pages/NAME.jinja` makes of the values."""
    lines = _pages().get_template(f"{name}.jinja").render(values).rstrip("\n").split("\n")
    for is_table, group in groupby(lines, key=lambda line: line.lstrip(" ").startswith("|")):
        if is_table:
            rows = list(group)
            console().print(_set_in(_table(rows), like=rows[0]))
        else:
            for line in group:
                plain = line.lstrip(" ")
                text = _text(plain)
                width = console().width - len(line) + len(plain)
                console().print(_set_in(_folded(text, width) if has_chinese(plain) else text, like=line))


@cache
def _pages() -> jinja2.Environment:
    pages = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).with_name("pages")),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        finalize=lambda value: "" if value is None else str(value).translate(_HIDE),
    )
    pages.globals.update(bar=bar, has_chinese=has_chinese)
    pages.filters.update(shorten=shorten, local_time=_local_time)
    return pages


def _local_time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds).astimezone().isoformat(timespec="seconds")


def _set_in(part: Text | Table, like: str) -> RenderableType:
    """As far as the line begins, wrapped lines too."""
    indent = len(like) - len(like.lstrip(" "))
    return Padding(part, (0, 0, 0, indent), expand=False) if indent else part


def _text(markup: str) -> Text:
    text = Text.from_markup(markup, emoji=False)
    text.plain = text.plain.translate(_SHOW)
    return text


def _folded(text: Text, width: int) -> Text:
    """Chinese text in filled lines: it breaks at any character but before a closing mark."""
    starts, used = list[int](), 0
    for piece in _PIECE.finditer(text.plain):
        wide = cell_len(piece[0].rstrip())
        if used and used + wide > width:
            starts.append(piece.start())
            used = 0
        used += cell_len(piece[0])
    return Text("\n").join(part for part in text.divide(starts)) if starts else text


def _table(lines: list[str]) -> Table:
    heads, *rows = ([cell.strip() for cell in line.lstrip(" ").split("|")[1:]] for line in lines)
    table = plain_table(*(head.partition(" ~")[0] for head in heads), expand=any(" ~" in head for head in heads))
    for column, head in zip(table.columns, heads, strict=True):
        column.ratio = int(head.partition(" ~")[2] or 0) or None
    for row in rows:
        table.add_row(*map(_text, row))
    return table


def bar(value: float, most: float, width: int = 10) -> str:
    """A small horizontal bar, eighths of a cell fine; empty for nothing."""
    if most <= 0 or value <= 0:
        return ""
    eighths = max(1, round(width * 8 * min(value / most, 1.0)))
    return "█" * (eighths // 8) + ("▏▎▍▌▋▊▉"[eighths % 8 - 1] if eighths % 8 else "")


def plain_table(*columns: str, **kwargs: Any) -> Table:
    table = Table(
        box=None, pad_edge=False, padding=(0, 2, 0, 0), show_header=any(columns), header_style="dim", **kwargs
    )
    for name in columns:
        table.add_column(name, overflow="fold")
    return table
