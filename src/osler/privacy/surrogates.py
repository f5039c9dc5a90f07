"""Surrogates: values of the same shape put in an identifier's place, equal for equal identifiers of one patient.

What is drawn follows from a key, the patient and the original alone, so it is the same in every file and on every day.
Names keep culture and gender where `data/names.tsv.gz` knows them. It does not know what a policy asks for.
"""

import gzip
import hashlib
import hmac
import re
from collections.abc import Sequence
from datetime import date, timedelta
from functools import cache
from importlib.resources import files

from osler.privacy.patterns import chinese_check
from osler.privacy.spans import SpanType
from osler.privacy.tokens import cues, plain

MONTHS = "january february march april may june july august september october november december".split()
# The three-digit areas of 20,000 people or fewer (2000 census), which Safe Harbor wants replaced by 000.
_SMALL_AREAS = set("036 059 063 102 203 556 692 790 821 823 830 831 878 879 884 890 893".split())
_PLACES = (
    "Ashford Brookfield Carlow Dunmore Easton Fairview Glendale Hartwell Kingsley Lakeside Millbrook Northgate Oakdale "
    "Riverton Stanford Westbrook"
).split()
_ZH_PLACES = "安平 长宁 东河 丰城 广安 海宁 江阳 金山 临江 南湖 清河 石桥 泰和 文昌 新安 永兴".split()
_NUMERIC = re.compile(r"(\d{1,4})(\s*[-/.年]\s*)(\d{1,2})(\s*[-/.月]\s*)(\d{1,4})(\s*[日号]?)")
_TWO = re.compile(r"(\d{1,2})(\s*[-/.月]\s*)(\d{1,2})(\s*[日号]?)")
_WORD = re.compile(r"[^\W\d_]+")


@cache
def _names() -> dict[tuple[str, str], list[str]]:
    lines = gzip.decompress(files("osler.privacy").joinpath("data/names.tsv.gz").read_bytes()).decode().splitlines()
    return {(culture, kind): words.split() for culture, kind, words in (line.split("\t") for line in lines)}


@cache
def _known() -> dict[str, list[tuple[str, str]]]:
    """A name, plain, to the cultures and kinds it stands in."""
    found: dict[str, list[tuple[str, str]]] = {}
    for place, words in _names().items():
        for word in words:
            found.setdefault(plain(word), []).append(place)
    return found


class Surrogates:
    """Draws surrogates for the identifiers of one patient (`subject`; "" if unknown) under a key."""

    def __init__(self, key: bytes, subject: str = "") -> None:
        self._key, self._subject = key, subject
        # Whole weeks keep the days of the week; at least one, at most a year either way.
        weeks = self._draw("shift", 104) - 52
        self.shift = timedelta(weeks=weeks if weeks < 0 else weeks + 1)

    def __call__(self, kind: SpanType, original: str) -> str | None:
        """A value in the original's place, or None if none of the same make can be given."""
        if kind == "NAME":
            return self._name(original)
        if kind == "DATE":
            return self.shifted(original)
        if kind in ("ADDRESS", "HOSPITAL"):
            return self._place(kind, original)
        if kind == "EMAIL":
            return f"{self._letters(original.split('@')[0], kind)}@example.org"
        if kind == "URL":
            return f"https://example.org/{self._draw(original, 10**8):08d}"
        if kind == "AGE":
            return self.generalised(kind, original)
        return self._letters(original, kind)

    def generalised(self, kind: SpanType, original: str) -> str | None:
        """Coarser, as Safe Harbor allows: 90+ for ages, three digits of a ZIP code, the year of a date."""
        if kind == "AGE":
            return "90+"
        if kind == "ZIP" and re.fullmatch(r"\d{5}(-\d{4})?", original):
            return ("000" if original[:3] in _SMALL_AREAS else original[:3]) + "00"
        year = re.search(r"(?<!\d)(?:19|20)\d\d(?!\d)", original)
        return year.group() if kind == "DATE" and year else None

    def shifted(self, original: str, month_first: bool = True) -> str | None:
        """The date moved by the patient's weeks, in its own format; None for what can't be moved."""
        if match := _NUMERIC.fullmatch(original):
            a, one, b, two, c, rest = match.groups()
            if len(a) == 4:
                fields, places = (a, b, c), (0, 1, 2)
            else:
                first = (month_first and int(a) <= 12 and "." not in one) or int(b) > 12
                fields, places = (c, a, b) if first else (c, b, a), (1, 2, 0) if first else (2, 1, 0)
            if moved := self._moved(*fields):
                text = [moved[place] for place in places]
                return f"{text[0]}{one}{text[1]}{two}{text[2]}{rest}"
            return None
        if match := _TWO.fullmatch(original):
            a, one, b, rest = match.groups()
            first = "月" in one or (month_first and int(a) <= 12 and "." not in one) or int(b) > 12
            moved = self._moved("2001", a, b) if first else self._moved("2001", b, a)
            return None if moved is None else f"{moved[1 if first else 2]}{one}{moved[2 if first else 1]}{rest}"
        month = next((w for w in _WORD.findall(original.lower()) if w[:3] in [m[:3] for m in MONTHS]), None)
        numbers = re.findall(r"\d+", original)
        if month is None or not numbers or len(numbers) > 2:
            return None
        year = next((n for n in numbers if len(n) == 4), numbers[1] if len(numbers) == 2 else "2001")
        day = next((n for n in numbers if n != year), "15")
        number = next(i for i, m in enumerate(MONTHS) if m[:3] == month[:3]) + 1
        moved = self._moved(year, f"{number:0{len(day)}d}", day)
        if moved is None:
            return None
        name = MONTHS[int(moved[1]) - 1]
        written = name if len(month) > 4 or month in ("june", "july") or month == "may" else name[:3]
        new = iter([moved[0] if n == year else moved[2] for n in numbers])
        dated = re.sub(r"\d+", lambda _: next(new), original)
        dated = re.sub(r"(?i)(?<=\d)(?:st|nd|rd|th)\b", _ordinal(int(moved[2])), dated)
        return re.sub(rf"(?i)\b{month}\b", lambda match: _like(match.group(), written), dated)

    def _moved(self, year: str, month: str, day: str) -> tuple[str, str, str] | None:
        """Year, month and day moved, as wide as they were written; None if they are no date."""
        full = int(year) if len(year) == 4 else 2000 + int(year) - (100 if int(year) > 40 else 0)
        try:
            moved = date(full, int(month), int(day)) + self.shift
        except ValueError:
            return None
        wide = 2 if len(month) == len(day) == 2 or "0" in (month[0], day[0]) else 1
        century = str(moved.year) if len(year) == 4 else f"{moved.year % 100:02d}"
        return century, f"{moved.month:0{wide}d}", f"{moved.day:0{wide}d}"

    def _name(self, original: str) -> str:
        words = [word for word in _WORD.findall(original) if len(word) > 1]
        if any("\u3400" <= c <= "\u9fff" for c in original):
            return self._chinese_name(original)
        places = [place for word in words for place in _known().get(plain(word), ())]
        cultures = [culture for culture, _ in places]
        culture = max(dict.fromkeys(cultures), key=cultures.count, default="english")
        last = words[0] if "," in original else words[-1] if words else ""

        def new(match: re.Match[str]) -> str:
            word = match.group()
            low = plain(word)
            if len(word) == 1:
                return _like(word, "abcdefghijklmnoprstvw"[self._draw(f"i{low}", 21)])
            if low in ("de", "la", "van", "der", "den", "von", "bin", "al", "el", "jr", "sr", "ii", "iii"):
                return word
            kinds = [kind for _, kind in _known().get(low, ())]
            gender = next((kind for kind in ("female", "male") if kind in kinds), "female")
            family = (word == last and len(words) > 1) or set(kinds) == {"family"}
            table = _names()[culture, "family" if family else gender]
            return _like(word, self._pick(f"n{low}", [name for name in table if plain(name) != low] or table))

        return _WORD.sub(new, original)

    def _chinese_name(self, original: str) -> str:
        family = self._pick(original[0], [w for w in _names()["chinese", "family"] if len(w) == 1 and w != original[0]])
        given = "".join(
            self._pick(f"{c}{n}", [w[0] for w in _names()["chinese", "female"]]) for n, c in enumerate(original[1:])
        )
        return family + given

    def _place(self, kind: str, original: str) -> str:
        if any("\u3400" <= c <= "\u9fff" for c in original):
            part = r"[\u4e00-\u9fff]{2,4}?(?=[省市区县镇乡路街村]|医院|卫生)"
            new = re.sub(part, lambda match: self._pick(match.group(), _ZH_PLACES), original)
            if new == original:
                new = self._pick(original, _ZH_PLACES)
            return re.sub(r"\d", lambda match: str(self._draw(match.group() + original, 9) + 1), new)

        def swap(match: re.Match[str]) -> str:
            word = match.group()
            keep = {"street", "institution"} & set(cues().get(plain(word), ())) or len(word) < 3
            return word if keep else _like(word, self._pick(plain(word), _PLACES))

        return self._letters(_WORD.sub(swap, original), kind, letters=False)

    def _letters(self, original: str, kind: str, letters: bool = True) -> str:
        """Digits by digits, capitals by capitals, small letters by small letters; check digits made right again."""
        pieces = []
        for place, c in enumerate(original):
            if c.isdecimal():
                pieces.append(str(self._draw(f"{kind}{original}{place}", 10)))
            elif letters and c.isascii() and c.isalpha():
                pieces.append(chr((65 if c.isupper() else 97) + self._draw(f"{kind}{original}{place}", 26)))
            else:
                pieces.append(c)
        text = "".join(pieces)
        if kind == "ID" and re.fullmatch(r"\d{17}[\dXx]", original):
            born = self.shifted(f"{original[6:10]}-{original[10:12]}-{original[12:14]}") or "1980-01-01"
            text = original[:6] + born.replace("-", "") + text[14:17]
            text += chinese_check(text)
        if text == original and re.search(r"[A-Za-z0-9]" if letters else r"\d", original):
            return self._letters(original + " ", kind, letters)[:-1]
        return text

    def _draw(self, what: str, below: int) -> int:
        digest = hmac.new(self._key, f"{self._subject}\x1f{what}".encode(), hashlib.sha256).digest()
        return int.from_bytes(digest[:8], "big") % below

    def _pick(self, what: str, among: Sequence[str]) -> str:
        return among[self._draw(what, len(among))]


def _like(old: str, new: str) -> str:
    return new.upper() if old.isupper() and len(old) > 1 else new.capitalize() if old[:1].isupper() else new.lower()


def _ordinal(day: int) -> str:
    return "th" if 10 < day < 14 else {1: "st", 2: "nd", 3: "rd"}.get(day % 10, "th")
