"""Tokens of a text and what is known of each without looking at its neighbours: the columns the tagger learns from.

A token is a run of letters, a run of digits, a Chinese character, a line end or a single mark. Word classes come from
`data/lexicon.tsv.gz` (names, towns, common words) and `data/cues.toml` (titles, roles, labels); no regex decides here.
"""

import gzip
import re
import tomllib
import unicodedata
import zlib
from collections.abc import Sequence
from functools import cache, lru_cache
from importlib.resources import files
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

_TOKEN = re.compile(r"[^\W\d_\u3400-\u9fff]+|\d+|[\u3400-\u9fff]|\n|[^\w\s]|_")
_CHUNK = re.compile(r"[\u3001-\u9fff\uff00-\uffef]+|[^\s\u3001-\u9fff\uff00-\uffef]+")
_RUNS = re.compile(r"(.)\1{4,}")
_NUMBERED = (
    "age", "phone", "fax", "ssn", "mrn", "id", "account", "license", "device", "vehicle", "biometric", "other", "web",
    "date", "unit", "lab", "label", "title", "email",
)  # fmt: skip


class Tokens(NamedTuple):
    """`starts`, `ends`: code points; `columns`: (kinds, tokens) hashes, in the order of COLUMNS."""

    starts: list[int]
    ends: list[int]
    columns: NDArray[np.uint32]


COLUMNS = ("word", "signature", "short", "suffix", "prefix", "chunk", "make", "label", "place", "rule", "cue")


@cache
def lexicon() -> dict[str, str]:
    """Word, in lower case without accents, to its classes, such as `g3s2c1`."""
    lines = gzip.decompress(files("osler.privacy").joinpath("data/lexicon.tsv.gz").read_bytes()).decode().splitlines()
    return dict(line.split("\t", 1) for line in lines)


@cache
def cues() -> dict[str, tuple[str, ...]]:
    """Word to the classes of cue it belongs to."""
    classes = tomllib.loads(files("osler.privacy").joinpath("data/cues.toml").read_text(encoding="utf-8"))
    found: dict[str, list[str]] = {}
    for name, words in classes.items():
        for word in words.split():
            found.setdefault(word, []).append(name)
    return {word: tuple(dict.fromkeys(names)) for word, names in found.items()}


def plain(word: str) -> str:
    """In lower case without accents: how word tables are looked up."""
    if word.isascii():
        return word.lower()
    return "".join(c for c in unicodedata.normalize("NFKD", word.lower()) if not unicodedata.combining(c))


@lru_cache(maxsize=100_000)
def _hash(text: str) -> int:
    return zlib.crc32(text.encode())


class _Word(NamedTuple):
    """What is known of a word by itself. `cue`: its first class that speaks of numbers."""

    hashes: tuple[int, int, int, int, int]
    text: str
    cue: str
    capital: bool
    letters: bool


@lru_cache(maxsize=100_000)
def _word(token: str) -> _Word:
    low = plain(token)
    if token.isdecimal():
        value = int(token[:9])
        size = len(token)
        kind = (
            "1" if 1 <= value <= 12 else "2" if value <= 31 else "3" if value < 90 else "4" if value < 120 and size < 4
            else "5" if 1900 <= value < 2100 and size == 4 else "6"
        )  # fmt: skip
        short = f"#{min(size, 12)}{kind}{'z' if token[0] == '0' else ''}"
        return _Word(
            (_hash(token if size < 3 else short), _hash(short), _hash("#" + kind), 0, 0), "#", "", False, False
        )
    if not low[:1].isalpha():
        return _Word((_hash(token), _hash(token), _hash(token), 0, 0), token, "", False, False)
    if "\u3400" <= token <= "\u9fff":
        classes = _chinese().get(token, "")
        return _Word((_hash(token), _hash("z" + classes), _hash("z" + classes[:1]), 0, 0), token, "", False, False)
    case = "u" if token.isupper() and len(token) > 1 else "i" if token.isupper() else "c" if token[0].isupper() else "l"
    if case == "c" and any(c.isupper() for c in token[1:]):
        case = "x"
    classes = lexicon().get(low, "")
    names = cues().get(low, ())
    rough = "".join(c for c in ("g", "s", "p", "c", "m", "r") if c in classes) + ("C" if "c3" in classes else "")
    cue = next((name for name in names if name in _NUMBERED), "")
    first = names[0] if names else ""
    short = "1" if len(low) < 2 else "2" if len(low) < 4 else ""
    return _Word(
        (
            _hash(low),
            _hash(f"{case}{short}{classes}{','.join(names)}"),
            _hash(f"{case}{first}" if first else f"{case}{short}{rough}"),
            _hash("s" + low[-3:]),
            _hash("p" + low[:3]),
        ),
        low,
        cue,
        case != "l",
        True,
    )


@cache
def _chinese() -> dict[str, str]:
    """Chinese character to its classes: surname, common in given names, and words around names and places."""
    table = tomllib.loads(files("osler.privacy").joinpath("data/chinese.toml").read_text(encoding="utf-8"))
    found: dict[str, str] = {}
    for letter, characters in table["characters"].items():
        for character in "".join(characters.split()):
            found[character] = found.get(character, "") + letter
    return found


@lru_cache(maxsize=100_000)
def _chunk(text: str) -> tuple[int, int]:
    """The shape of what stands between white space, Aa-99.9, and its make: how many digits, letters and which marks."""
    text = text.strip('.,;:()[]"“”，。；：（）')
    shape = "".join(
        "A" if c.isupper() else "9" if c.isdigit() else "z" if c > "\u2fff" else "a" if c.isalpha() else c
        for c in text[:24]
    )
    shape = re.sub(r"a{3,}", "aaa", re.sub(r"A{4,}", "AAAA", re.sub(r"z+", "z", shape)))
    digits, capitals = sum(map(str.isdecimal, text)), sum(map(str.isupper, text))
    marks = "".join(sorted({c for c in text if not c.isalnum()}))
    small = any(c.islower() for c in text)
    return _hash(shape), _hash(f"{min(digits, 9)}{min(capitals, 3)}{small}{marks[:3]}")


def tokenise(text: str, ruled: Sequence[tuple[int, int, str]] = ()) -> Tokens:
    """The tokens of a text; `ruled`: spans a rule has spoken on, with the rule's name."""
    starts: list[int] = []
    ends: list[int] = []
    rows: list[tuple[int, ...]] = []
    chunks = iter([(m.start(), m.end(), _chunk(m.group())) for m in _CHUNK.finditer(text)])
    chunk_end, chunk, passed = 0, (0, 0), 0
    letters = capitals = 0
    label, cue, cue_at, count = 0, "", 0, 0
    rules = iter(sorted(ruled))
    rule = next(rules, (len(text) + 1, 0, ""))
    previous = ""
    for match in _TOKEN.finditer(text):
        token, start = match.group(), match.start()
        known = _word(token)
        while start >= chunk_end and token != "\n":
            _, chunk_end, chunk = next(chunks)
            passed += 1
        while start >= rule[1] and start >= rule[0]:
            rule = next(rules, (len(text) + 1, 0, ""))
        if token == "\n":
            label, cue, count = 0, "", -1
        count += 1
        place = f"{min(count, 3)}"
        if known.letters:
            letters += 1
            capitals += known.capital
        far = min(passed - cue_at, 4) if cue else 9
        rows.append((
            *known.hashes,
            *chunk,
            _hash(f"L{label}"),
            _hash(place),
            _hash(rule[2]) if rule[0] <= start < rule[1] else 0,
            _hash(f"{cue}{far}"),
        ))  # fmt: skip
        starts.append(start)
        ends.append(match.end())
        if token in ":：#=" and previous:
            label = _hash(previous)
        if known.cue:
            cue, cue_at = known.cue, passed
        if known.letters:
            previous = known.text
    columns = np.array(rows, dtype=np.uint32).reshape(-1, len(COLUMNS)).T.copy()
    mode = 1 if letters and capitals / letters < 0.04 else 2 if letters and capitals / letters > 0.7 else 0
    if mode:
        columns[2] += np.uint32(mode)  # texts without capitals, or of nothing else, are their own kind
    return Tokens(starts, ends, columns)
