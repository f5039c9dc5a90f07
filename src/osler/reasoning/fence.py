"""Passages as fenced, numbered data in a prompt: nothing inside one can close the fence or pose as a turn of the chat.

It does not know what the prompt asks.
"""

import re
from collections.abc import Sequence

from osler.nouns import Evidence
from osler.reasoning.commands import without_commands
from osler.text import shorten

_TAG = re.compile(r"<(?=\s*/?\s*passage)|<(?=\|)|(?<=\|)>", re.I)


WIDTH = 700  # code points of each passage that a model sees


def fenced(evidence: Sequence[Evidence], width: int = WIDTH) -> str:
    """The passages, each between tags with its number, cut to `width` code points, without what addresses a program."""
    return "\n\n".join(
        f'<passage number="{number}">\n{_inert(_titled(item, width))}\n</passage>'
        for number, item in enumerate(evidence, start=1)
    )


def _titled(item: Evidence, width: int) -> str:
    title = f"{without_commands(shorten(item.source.title, 120))}. " if item.source.title else ""
    return f"{title}{shorten(without_commands(item.text), width)}"


def _inert(text: str) -> str:
    """Angle brackets that could be read as our tags or a chat template's become look-alikes."""
    return _TAG.sub(lambda match: "‹" if match.group() == "<" else "›", text)
