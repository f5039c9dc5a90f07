"""The 14 labels of CheXpert (Irvin et al. 2019) read out of a chest X-ray report, and their F1 between two reports.

Names come from Osler's recogniser and `data/chest_labels.toml`; Osler's context rules say present, absent or uncertain.
As in the original, a label's surest mention counts and No Finding holds where nothing but devices is left. Macro-F1 on
the 52 report texts of tests/bench/chest_labels.jsonl (written first, but by the hand that wrote the table; printed
twice): .96 present, .98 absent, .78 uncertain. Reports of a hospital were not seen.
"""

import functools
import re
from collections.abc import Sequence

from osler.bench.task import table
from osler.knowledge.concepts.context import contexts
from osler.knowledge.concepts.recogniser import load_recogniser
from osler.knowledge.graph import load_graph
from osler.nouns import Status

Labels = dict[str, Status]
NONE, DEVICES = "No Finding", "Support Devices"
_SURER: tuple[Status, ...] = ("absent", "uncertain", "present")
_CUES = {name: re.compile(cue, re.I | re.S) for name, cue in table("chest_labels")["cues"].items()}
_NAMES = [(label, name) for label, names in table("chest_labels")["names"].items() for name in names]


def chest_labels(report: str) -> Labels:
    """Label to status; labels that the report doesn't speak of are left out."""
    text = _CUES["aside"].sub(lambda match: " " * len(match.group()), report)
    found: Labels = {}
    spans = []
    for mention in load_recogniser(("hpo", "disease")).mentions(text):
        spans += [(mention.start, mention.end, label) for label in _of_code(mention.code)]
    for label, name in _NAMES:
        for match in re.finditer(name["pattern"], text, re.I) if "pattern" in name else ():
            if "absent" in name:
                _keep(found, label, "absent")
            else:
                spans.append((match.start(), match.end(), label))
    spans.sort()
    for (start, end, label), context in zip(spans, contexts(text, [span[:2] for span in spans]), strict=True):
        gone = _CUES["gone_before"].search(text[:start]) or _CUES["gone_behind"].search(text[end:])
        if context.time != "hypothetical" and not (gone and label == DEVICES):
            sure = context.status == "uncertain" and _CUES["sure"].search(text[:start])
            _keep(found, label, "absent" if gone else "present" if sure else context.status)
    if all(status == "absent" or label == DEVICES for label, status in found.items()):
        found[NONE] = "present"
    return found


def label_f1(said: Sequence[Labels], wanted: Sequence[Labels], status: Status = "present") -> dict[str, float]:
    """F1 over pairs of reports: of each label that is wanted with this status, their mean (`macro`), all (`micro`)."""
    pairs = [
        ({label for label in a if a[label] == status}, {label for label in b if b[label] == status})
        for a, b in zip(said, wanted, strict=True)
    ]
    found = {}
    for label in sorted({label for _, there in pairs for label in there}):
        both = sum((label in a) + (label in b) for a, b in pairs)
        found[label] = 2 * sum(label in a and label in b for a, b in pairs) / both
    total = sum(len(a) + len(b) for a, b in pairs)
    micro = 2 * sum(len(a & b) for a, b in pairs) / total if total else 0.0
    return {**found, "macro": sum(found.values()) / len(found) if found else 0.0, "micro": micro}


def _keep(found: Labels, label: str, status: Status) -> None:
    if label not in found or _SURER.index(status) > _SURER.index(found[label]):
        found[label] = status


@functools.cache
def _of_code(code: str) -> list[str]:
    graph = load_graph()
    if graph.find(code) is None:
        return []
    return [label for label, name in _NAMES if "root" in name and graph.descends(code, name["root"])]
