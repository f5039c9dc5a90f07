"""What a sign, box or value right at a mention says of it: "fever (-)", "[ ] rash", "cough: yes", "syncope? denied".

It sees one line and knows neither cues nor clauses; the words that count as values are data (`cues_*.tsv`).
"""

import re

from osler.knowledge.concepts.cues import values
from osler.text import Span

_BOX = r"(\[[xX✓√✔ ]?\]|\([xX✓√✔ ]\)|[☑☒✓✔√☐□✗✘])"
_SAID = r"(?:[ \t]*(yes|no|y|n|present|absent|有|无|是|否)(?!\w))?"
_BOX_BEFORE = re.compile(rf"{_BOX}\s*$")
_BOX_AFTER = re.compile(rf"[ \t:：]*{_BOX}{_SAID}")
_BOXES_AFTER = re.compile(rf"(?!\W*{_BOX}).*{_BOX}{_SAID}\s*")
_SIGNS = {
    "affirmed": re.compile(r"\d?\+{1,4}|\+ve|[✓✔√]"),
    "negated": re.compile(r"[-–−—－]{1,2}|-ve|[✗✘]|0"),
    "uncertain": re.compile(r"±|\+/-|[?？]"),
    "historical": re.compile(r"(?:19|20)\d\d"),
}
# One group in each alternative: what stands in brackets, an answer, a grade, a sign, a word of a column, a value.
_WRITTEN = re.compile(
    r"[ \t]*[(（\[]\s*(\+/-|\+{1,4}|[-–−—－]{1,2}|±|\?|？|[\w ]{1,12})\s*[)）\]]"
    r"|\s?[?？]\s*(no|none|nope|never|denies|denied|negative|absent|nil|yes|yeah|yep|present|没有|有|无|是|否认)\b"
    r"|[ \t]?(\d\+|\+/-|±|\+{1,4})(?![\w/])"
    r"|([-–−])(?=[\s,;.，。；、]|$)|[ \t]([-–−])(?=[ \t]*(?:[,;.，。；、\n]|$))"
    r"|[ \t]?([✓✔√✗✘]|[-+]ve\b)"
    r"|[ \t]+(no|none|nil|n|yes|y|0|absent|present|neg|pos|denied|reported)"
    r"(?=[ \t]*(?:[,;.\n]|$|[ \t]{2}))"
    r"|[ \t][-–—][ \t]+((?:19|20)\d\d\b|[a-zA-Z]+(?: [a-z]+){0,3}|[\u4e00-\u9fff]{1,4})"
    r"|[ \t]*(?:[:：=|]|\.{3,}|…+)[ \t]*"
    r"((?:19|20)\d\d\b|0(?![\d.,/%])|\(?[+\-–－]\)?(?!\d)|[a-zA-Z]+(?: [a-z]+){0,3}|[\u4e00-\u9fff]{1,4})"
)
_SIGNED = re.compile(r"(?:^|[\s,;:(/])([+\-–])$")


def marked(low: str, mention: Span) -> str | None:
    """The category (negated, affirmed, uncertain, historical, family) that a mark lends; None without one."""
    line = low[low.rfind("\n", 0, mention.start) + 1 : mention.start]
    box = _boxed(low, line, mention)
    if box:
        return box
    sign = _SIGNED.search(line)
    if sign and line[: sign.start() + 1].strip() not in ("", "-", "–", "+"):
        return "affirmed" if sign[1] == "+" else "negated"
    match = _WRITTEN.match(low, mention.end)
    return _meaning(match[match.lastindex or 0].strip("() "), low[mention.end : mention.end + 2]) if match else None


def _boxed(low: str, line: str, mention: Span) -> str | None:
    """A box before the name, or behind it on a line that begins with a name: "cough [x] yes [ ] no"."""
    match = _BOX_AFTER.match(low, mention.end)
    if match and _BOXES_AFTER.fullmatch(line + low[mention.start :].partition("\n")[0]):
        first = match
        while match:
            if match[2] and _checked(match[1]):
                return values().get(match[2])
            match = _BOX_AFTER.match(low, match.end())
        return "affirmed" if _checked(first[1]) else "negated"
    match = _BOX_BEFORE.search(line)
    if match and not _BOXES_AFTER.fullmatch(line):
        return "affirmed" if _checked(match[1]) else "negated"
    return None


def _checked(box: str) -> bool:
    return box.strip("[( )]") not in ("", "☐", "□", "✗", "✘")


def _meaning(written: str, separator: str) -> str | None:
    sign = next((category for category, signs in _SIGNS.items() if signs.fullmatch(written)), None)
    if sign:
        return sign
    said = written
    while said and said not in values():
        said = said.rpartition(" ")[0]
    # "depression - no suicidal ideation" denies something else
    elsewhere = said != written and said in ("no", "not") and separator[1:] in ("-", "–", "—")
    return None if elsewhere or (said != written and values().get(said) == "family") else values().get(said)
