"""A demographic attribute of the patient changed in a text, all else as it was: the counterfactual of a fairness audit.

Words of `data/swaps.toml` are exchanged for those of another group, or put in where a text mentions none, in English
and Chinese. Where the attribute bears on the medicine (pregnancy, prostate, sickle cell) the text stays, and says so.
It goes by words: of two people of the same sex it can't tell whose pronoun is whose.
"""

import functools
import re
import tomllib
from collections.abc import Iterator, Sequence
from importlib.resources import files
from typing import Any, Literal, NamedTuple

from osler.record.demographics import demographics
from osler.text import language_of

BLIND, THEY = "blind", "they"  # ways to write, no groups
ADULT = 18
Why = Literal["exception", "absent"]
_VOWEL = re.compile(r"[aio]|e(?!u)|u(?!n[it])(?=[a-z]{2})|unin|8\d*\b|1[18]\b", re.I)
_ARTICLE = re.compile(r"\b(an?)\s$", re.I)
_YEARS = re.compile(r"\b(\d{1,2})[- ](?:years?|yrs?)\b(?![- ]old| of age)|(?<!\d)(\d{1,2})年")
_AGE = re.compile(r"\d+|[A-Za-z]+(?:[- ][a-z]+)?(?=[- ]year)")
_ADVERBS = r"(?:\s+(?:also|always|often|never|still|now|then|sometimes|usually|just|has\s+never|\w+ly))*"
_AFTER_THEY = re.compile(rf"(?<=\0)(they)((?:[’']s)?)({_ADVERBS})(\s+)(\w+)", re.I)
_BEFORE_THEY = re.compile(r"\b(is|was|has|does|isn't|wasn't|hasn't|doesn't)(\s+\0they\b)", re.I)
_PLURAL = {"is": "are", "was": "were", "has": "have", "does": "do", "goes": "go"}
_PARTICIPLE = re.compile(r"(?:had|been|got|taken|felt|lost|\w+ed)$", re.I)


class Swapped(NamedTuple):
    """`text` is null where nothing was changed; then `why`, and `because`: the word of an exception."""

    text: str | None
    why: Why | None = None
    because: str | None = None


class Mention(NamedTuple):
    """A form in the text: its row of cells, the column it stands in, and its kind (plain, pronoun, spouse)."""

    start: int
    end: int
    row: list[list[str]]
    column: int
    kind: str


@functools.cache
def table() -> dict[str, Any]:
    return tomllib.loads((files("osler.trust") / "data" / "swaps.toml").read_text(encoding="utf-8"))


def attributes() -> dict[str, list[str]]:
    """The attributes and the groups of each."""
    found = {name: held["columns"] for name, held in table().items() if "columns" in held}
    return {name: [one for one in columns if one not in (BLIND, THEY)] or columns for name, columns in found.items()}


def swap(text: str, attribute: str, value: str, beside: str = "", insert: bool = False) -> Swapped:
    """The text with the patient's attribute changed to `value`. `beside`: more text that may hold an exception, such as
    options. `insert`: a text that does not mention the attribute gets it. Raises KeyError for an unknown attribute."""
    language = language_of(text)
    if because := exception(f"{text}\n{beside}", attribute):
        return Swapped(None, "exception", because)
    if attribute == "age":
        made, because = _aged(text, value)
        if because:
            return Swapped(None, "exception", because)
    elif attribute == "name":
        made = _renamed(text, value, language)
    else:
        made = _said(text, attribute, value, language)
    if made is None and insert:
        made = _inserted(text, attribute, value, language)
    return Swapped(made) if made else Swapped(None, "absent")


def exception(text: str, attribute: str) -> str | None:
    """The word for which the attribute of this text is left as it is."""
    patterns = table()[attribute].get("exceptions", {})
    found = (re.search(pattern, text, re.I) for pattern in patterns.values())
    return next((match.group() for match in found if match), None)


def mentions(text: str, attribute: str, language: str) -> list[Mention]:
    """All forms of an attribute in the text, whoever they are said of."""
    pattern, cells = _forms(attribute, language)
    found = ((match, match.lastgroup or "") for match in pattern.finditer(text))
    every = [Mention(match.start(name), match.end(name), *cells[name]) for match, name in found if name]
    return [one for one in every if one.kind != "keep"]


# --- forms ----------------------------------------------------------------------------------------------------


@functools.cache
def _forms(attribute: str, language: str) -> tuple[re.Pattern[str], dict[str, tuple[list[list[str]], int, str]]]:
    """One pattern for all forms, and by the name of its groups the row, column and kind of each cell."""
    groups, parts = len(attributes()[attribute]), ["(?!)"]
    cells: dict[str, tuple[list[list[str]], int, str]] = {}
    for form in table()["forms"]:
        if (form["attribute"], form["language"]) != (attribute, language):
            continue
        kind, named = form.get("kind", ""), []
        for line in form["rows"].strip("\n").split("\n"):
            row = [line.split(" / ")] if kind == "keep" else [_spellings(cell) for cell in line.split(" |")]
            for place, cell in enumerate(row[:groups]):
                known = sorted((said for said in cell if said[:1] not in ("", "!")), key=len, reverse=True)
                if known:
                    name = f"c{len(cells)}"
                    cells[name] = row, place, kind
                    said = "|".join(known).replace("{their}", "(?:his|her|their)")
                    named.append((len(known[0]), f"(?P<{name}>{said})"))
        either = "|".join(said for _, said in sorted(named, key=lambda one: -one[0]))
        left = form.get("before") or (r"(?<!\w)" if language == "en" else "")
        right = (r"(?!\w)" if language == "en" else "") + (f"(?={form['after']})" if "after" in form else "")
        parts.append(f"(?{'-i' if form.get('exact') else 'i'}:{left}(?:{either}){right})")
    return re.compile("|".join(parts)), cells


def _spellings(cell: str) -> list[str]:
    return [said.strip() for said in cell.split(" / ")]


def _said(text: str, attribute: str, value: str, language: str) -> str | None:
    """Every form of the patient's group written as `value`; None where there is none."""
    source = "sex" if attribute == "pronouns" else attribute
    columns = table()[source]["columns"]
    found = mentions(text, source, language)
    named = [one for one in found if not one.kind] or [one for one in found if one.kind == "pronoun"]
    if attribute == "pronouns":
        found = [one for one in found if one.kind == "pronoun"]
    if not named or not found:
        return None
    patient, target = named[0].column, columns.index(value)
    mirrored = any(one.kind == "spouse" and one.column == patient for one in found)
    changes = []
    for one in found:
        to = target if one.column == patient else patient
        if one.column != patient and not (mirrored and one.kind == "pronoun" and value in attributes()[attribute]):
            continue
        said = one.row[to][0].lstrip("!") if to < len(one.row) else ""
        changes.append((one.start, one.end, _cased(text[one.start : one.end], said, one.row[one.column])))
    sexes = [one for one in mentions(text, "sex", language) if one.kind != "spouse"] if attribute != "sex" else []
    their = ("her", "his")[sexes[0].column] if sexes else "their"
    made = _written(text, [(start, end, said.replace("{their}", their)) for start, end, said in changes], value == THEY)
    return _agreed(made) if value == THEY else made


def _written(text: str, changes: Sequence[tuple[int, int, str]], marked: bool = False) -> str:
    """The text with its places written anew, articles as they must be, no gap where a word went.
    `marked`: a NUL before each."""
    out, last = "", 0
    for start, end, said in changes:
        out += text[last:start]
        follows = said or text[end:].lstrip()
        if article := _ARTICLE.search(out):
            right = "an" if _VOWEL.match(follows) else "a"
            if article.group(1)[0].isupper():
                right = right.capitalize()
            out = out[: article.start(1)] + right + out[article.end(1) :]
        out += ("\0" if marked else "") + said
        last = end + (not said and text[end : end + 1] == " ")
    return out + text[last:]


def _cased(was: str, said: str, spellings: Sequence[str]) -> str:
    """`said` with the capitals of what it replaces, where those came of the place and not of the word."""
    if len(was) > 1 and was.isupper() and was.isascii():
        return said.upper()
    return said[:1].upper() + said[1:] if was[:1].isupper() and spellings[0].lstrip("!")[:1].islower() else said


def _agreed(text: str) -> str:
    """Verbs made plural after and before a `they` that was written (marked by a NUL)."""

    def after(match: re.Match[str]) -> str:
        they, contracted, adverbs, space, verb = match.groups()
        if contracted:
            return they + ("'ve" if _PARTICIPLE.match(verb) else "'re") + adverbs + space + verb
        return they + adverbs + space + _plural(verb)

    text = _BEFORE_THEY.sub(lambda match: _plural(match[1]) + match[2], text)
    return _AFTER_THEY.sub(after, text).replace("\0", "")


def _plural(verb: str) -> str:
    low = verb.lower()
    stem, negated = (low[:-3], "n't") if low.endswith("n't") else (low, "")
    if stem in _PLURAL:
        made = _PLURAL[stem] + negated
        return made.upper() if verb.isupper() else made.capitalize() if verb[0].isupper() else made
    if re.search(r"[^aeiou]ies$", low) and len(low) > 4:
        return verb[:-3] + "y"
    if re.search(r"(?:ss|sh|ch|x|zz)es$", low):
        return verb[:-2]
    return verb[:-1] if len(low) > 3 and low.endswith("s") and not low.endswith(("ss", "us")) else verb


# --- age, names, insertion ------------------------------------------------------------------------------------


def _aged(text: str, value: str) -> tuple[str | None, str | None]:
    """The text with another age of an adult; or why not: a child, or something that has lasted for too long."""
    said = next((one for one in demographics(text)[0] if one.age), None)
    number = said and _AGE.search(text, said.start, said.end)
    if said is None or said.age is None or number is None:
        return None, None
    if not said.age.endswith("Y") or int(said.age[1:-1]) < ADULT:
        return None, text[said.start : said.end]
    long = [match for match in _YEARS.finditer(text) if not said.start <= match.start() < said.end]
    if lasted := next((one for one in long if int(one[1] or one[2]) >= int(value)), None):
        return None, lasted.group()
    return _written(text, [(*number.span(), value)]), None


def _renamed(text: str, value: str, language: str) -> str | None:
    names = table()["name"]
    if language == "zh":
        sexes = [one for one in mentions(text, "sex", "zh") if not one.kind]
        match = re.search(r"姓名[：:]\s*([^\s，,；;。]+)", text)
        if not sexes or not match or value not in names["columns_zh"]:
            return None
        cells = names[("female_zh", "male_zh")[sexes[0].column]].split(" | ")
        return text.replace(match[1], cells[names["columns_zh"].index(value)])
    column = names["columns"].index(value)
    surnames = set(re.findall(rf"\b{names['title']}([A-Z][\w-]+)", text))
    firsts: dict[str, str] = {}
    for sex in ("female", "male"):
        cells = [_spellings(cell) for cell in names[sex].split(" | ")]
        known = "|".join(re.escape(name) for cell in cells for name in cell)
        for match in re.finditer(rf"\b({known})\b(?:\s+([A-Z][a-z][\w-]*))?(?!\s+(?:disease|syndrome|sign)\b)", text):
            firsts[match[1]] = cells[column][0]
            surnames |= {match[2]} - {None}
    every = firsts | dict.fromkeys(surnames, names["surname"].split(" | ")[column])
    if not every:
        return None
    pattern = re.compile(rf"\b(?:{'|'.join(map(re.escape, sorted(every, key=len, reverse=True)))})\b")
    return pattern.sub(lambda match: every[match.group()], text)


def _inserted(text: str, attribute: str, value: str, language: str) -> str | None:
    said = table()[attribute].get("insert", {}).get(language, {}).get(value)
    if attribute == "age" and value.isdigit():
        said = f"{value}-year-old" if language == "en" else f"{value}岁"
    match = re.search(table()["anchor"][language], text, re.I)
    if not said or not match:
        return None
    at = match.start("anchor")
    return _written(text, [(at, at, said + (" " if language == "en" else ""))])


def blinded(text: str, beside: str = "") -> tuple[str, list[str]]:
    """The text without the attributes that don't bear on its medicine, and which those were. Age stays."""
    gone: list[str] = []
    for attribute in attributes():
        if attribute not in ("age", "pronouns") and (made := swap(text, attribute, BLIND, beside).text):
            text, gone = made, [*gone, attribute]
    return text, gone


def variants(text: str, attribute: str, beside: str = "", insert: bool = False) -> Iterator[tuple[str, str]]:
    """(value, text) of each group of the attribute that the text is not of already."""
    for value in attributes()[attribute]:
        made = swap(text, attribute, value, beside, insert).text
        if made and made != text:
            yield value, made
