"""Text helpers that every floor needs: which language, where sentences begin and end, what counts as a word.

Offsets are Unicode code points into the text as given. It knows no vocabulary and no medicine.
"""

import re
from typing import Literal, NamedTuple

Language = Literal["en", "zh"]

CJK = r"\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_CJK_CHARACTER = re.compile(f"[{CJK}]")
_LATIN_WORD = re.compile(r"[A-Za-z]{2,}")
_WORD = re.compile(rf"[{CJK}]|[^\W_{CJK}]+(?:['’.][^\W_{CJK}]+)*", re.UNICODE)
_NUMBER = re.compile(r"(?<![\w.])[-+−]?\d+(?:[.,]\d+)*(?:\s?[×x]\s?10\^?\d+)?")
# Words whose full stop does not end a sentence.
_ABBREVIATIONS = frozenset(
    "dr mr mrs ms prof st vs etc e.g i.e approx fig al inc dept pt pts wt resp b.i.d t.i.d q.d p.o i.v i.m s.c "
    "a.m p.m jr sr ca cf".split()
)
_BOUNDARY = re.compile(r"[.!?]+[\"')\]”’]*(?=\s|$)|[。！？；]+[”’」）]*|\n+")
# A line of this length that stops without a full stop and goes on in lower case was wrapped, not ended.
_WRAPPED = 50
_LIST_MARK = re.compile(r"\s*(?:[-*•·–]|\d{1,2}[.)])$")


class Span(NamedTuple):
    start: int
    end: int


def language_of(text: str) -> Language:
    """`zh` if Chinese characters outnumber Latin words, else `en`."""
    return "zh" if len(_CJK_CHARACTER.findall(text)) > len(_LATIN_WORD.findall(text)) else "en"


def has_chinese(text: str) -> bool:
    return _CJK_CHARACTER.search(text) is not None


def words(text: str) -> list[str]:
    """Lower-cased words; each Chinese character is a word of its own."""
    return [match.group().lower() for match in _WORD.finditer(text)]


def word_spans(text: str) -> list[Span]:
    return [Span(match.start(), match.end()) for match in _WORD.finditer(text)]


def numbers(text: str) -> list[str]:
    """The numbers as written, sign and decimals included."""
    return [match.group() for match in _NUMBER.finditer(text)]


def sentences(text: str) -> list[Span]:
    """Sentence spans, trimmed of white space. A line break ends a sentence unless it only wraps a long line; a list
    mark alone does not begin one."""
    spans: list[Span] = []
    start = 0
    for match in _BOUNDARY.finditer(text):
        before = text[start : match.start()]
        if match.group() == "\n" and _wraps(text, match.start()):
            continue
        if match.group()[0] == ".":
            last = before.rsplit(None, 1)[-1].lower().lstrip("([\"'") if before.strip() else ""
            if last in _ABBREVIATIONS or (len(last) == 1 and last.isalpha()) or _LIST_MARK.match(before + "."):
                continue
        spans.extend(_trimmed(text, start, match.end()))
        start = match.end()
    spans.extend(_trimmed(text, start, len(text)))
    return spans


def _wraps(text: str, at: int) -> bool:
    """Whether the line break at `at` only wraps a line: the line is long and the next goes on in lower case."""
    following = text[at + 1 : at + 40].lstrip(" \t")
    return at - text.rfind("\n", 0, at) > _WRAPPED and following[:1].islower() and following[:1].isascii()


def _trimmed(text: str, start: int, end: int) -> list[Span]:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return [Span(start, end)] if start < end else []


def shorten(text: str, width: int) -> str:
    """At most `width` code points on one line, cut at a word with an ellipsis."""
    line = " ".join(text.split())
    if len(line) <= width:
        return line
    cut = line[: width - 1]
    space = cut.rfind(" ")
    return (cut[:space] if space > width // 2 else cut).rstrip(",;: ") + "…"
