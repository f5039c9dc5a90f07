"""Pairs of statement and evidence that public sets give by their make, to learn from before the pairs written for it.

Sentences of a note and the dialogue they sum up (MTS-Dialog), of a conclusion and its abstract (PubMedQA), right and
wrong options and their explanation (MedMCQA, CMExam), wrong sentences of corrected notes (MEDEC): supported as they
are, contradicted with one thing turned round, unsupported beside another's text, partial with another's sentence added.
Train parts alone (`osler.splits`).
"""

import gzip
import json
import random
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from osler.bench.tasks.medec import group_of
from osler.reasoning.verify.verdict import _read
from osler.splits import split
from osler.text import has_chinese, sentences

SUPPORTED, PARTIAL, UNSUPPORTED, CONTRADICTED = range(4)
Weak = tuple[str, str, int, str]
TURNS = [
    (r"\bdenies\b", "reports"), (r"\bdenied\b", "reported"), (r"\breports\b", "denies"), (r"\breported\b", "denied"),
    (r"\b(has|have|had) (?:had )?no\b", r"\1"), (r"\bno\b(?! longer)", "a"), (r"\bwithout\b", "with"),
    (r"\bnot\b ", ""),
    (r"\bnever\b", "often"), (r"\bleft\b", "right"), (r"\bright\b", "left"), (r"\bincreas(e[sd]?|ing)\b", r"decreas\1"),
    (r"\bdecreas(e[sd]?|ing)\b", r"increas\1"), (r"\bhigher\b", "lower"), (r"\blower\b", "higher"),
    (r"\bimprov(e[sd]?|ing)\b", r"worsen\1"), (r"\bpositive\b", "negative"), (r"\bnegative\b", "positive"),
    (r"\b(is|was|are|were|does|did|can|should|may|has been|have been)\b", r"\1 not"), (r"\bhas\b", "has no"),
    (r"不能", "能"), (r"不", ""), (r"无(?=[\u4e00-\u9fff])", "有"), (r"未", "已"), (r"升高", "降低"), (r"降低", "升高"),
    (r"增[加多]", "减少"), (r"减[少弱]", "增加"), (r"可以?(?=[\u4e00-\u9fff])", "不可"),
    (r"为(?=[\u4e00-\u9fff])", "不是"),
    (r"有(?=[\u4e00-\u9fff])", "无"), (r"是", "不是"),
]  # fmt: skip


def rows(path: Path) -> Iterator[dict[str, Any]]:
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        yield from map(json.loads, lines)


def turned(sentence: str, luck: random.Random) -> str | None:
    """The sentence with a number, a denial, a side or a direction turned round; None where nothing can be."""
    numbers = list(re.finditer(r"(?<![\w.])\d{1,3}(?:\.\d)?(?![\w.])", sentence))
    if numbers and luck.random() < 0.4:
        one = luck.choice(numbers)
        value = float(one[0])
        new = max(0.1, value + luck.choice([-1, 1]) * max(1, round(value * luck.uniform(0.2, 0.8))))
        said = f"{new:.1f}" if "." in one[0] else f"{max(1, int(new))}"
        return sentence[: one.start()] + said + sentence[one.end() :] if said != one[0] else None
    able = [(pattern, new) for pattern, new in TURNS if re.search(pattern, sentence)]
    if not able:
        return None
    first, other = able[0], luck.choice(able)
    return re.sub(*(first if luck.random() < 0.5 else other), sentence, count=1)


def parts(text: str) -> list[str]:
    found = [text[start:end].strip() for start, end in sentences(text)]
    return [one for one in found if 12 < len(one) < 300 or (has_chinese(one) and 8 < len(one) < 120)]


def said(data: Path) -> Iterator[tuple[str, str, str]]:
    """Set, statement and the text that it was made from."""
    for row in rows(data / "notes" / "mtsdialog_train.jsonl.gz"):
        if split("mtsdialog_train", row["ID"]) == "train":
            for one in parts(row["section_text"])[:4]:
                yield "dialogue", one, row["dialogue"]
    for row in rows(data / "qa" / "pubmedqa_dev.jsonl.gz"):
        if split("pubmedqa_dev", row["pubid"]) == "train":
            for one in parts(row.get("long_answer") or row.get("LONG_ANSWER") or "")[:3]:
                yield "abstract", one, "\n".join(row["context"]["contexts"])


def questions(data: Path) -> Iterator[tuple[str, str, str]]:
    """Right statement, wrong statement, explanation."""
    for row in rows(data / "qa" / "medmcqa_dev.jsonl.gz"):
        why = row.get("exp") or ""
        negative = re.search(r"\b(not|except|false|least|all of|none of)\b", row["question"], re.I)
        if split("medmcqa_dev", row["id"]) == "train" and len(why) > 60 and not negative:
            options = [row[key] for key in ("opa", "opb", "opc", "opd")]
            right = options.pop(int(row["cop"]) - 1 if int(row["cop"]) > 0 else 0)
            stem = row["question"].rstrip(" :?.-")
            yield f"{stem}: {right}.", f"{stem}: {options[0]}.", re.sub(r"Ans[^a-z]{0,4}[a-d]?\W", "", why)
    for row in rows(data / "qa" / "cmexam_dev.jsonl.gz"):
        why = row.get("Explanation") or ""
        options = dict(re.findall(r"^([A-E]) (.+)$", row["Options"], re.M))
        if split("cmexam_dev", row["id"]) == "train" and len(why) > 20 and len(row["Answer"]) == 1 and len(options) > 2:
            if re.search("不|除|错误|例外|以上", row["Question"]) or "以上" in row["Options"]:
                continue
            right = options.pop(row["Answer"], None)
            if right:
                wrong = sorted(options.values())[0]
                stem = row["Question"].rstrip("：:。？ ")
                clean = re.sub(r"[（(][^）)]*[对错][）)]|[A-E](?=[^A-Za-z])|故选.*$", "", why)
                yield f"{stem}：{right}。", f"{stem}：{wrong}。", clean


def weak(data: Path, luck: random.Random) -> list[Weak]:
    """All of it, in random order: a statement, its evidence as the verifier reads it, the verdict, and its group."""
    found: list[Weak] = []
    pairs = list(said(data))
    by_set: dict[str, list[tuple[str, str]]] = {}
    for name, statement, text in pairs:
        by_set.setdefault(name, []).append((statement, text))
    for name, statement, text in pairs:
        other, _ = luck.choice([one for one in luck.sample(by_set[name], 4) if one[1] != text] or [("", "")])
        found.append((statement, _read(statement, [text]), SUPPORTED, text))
        new = turned(statement, luck)
        if new and luck.random() < 0.7:
            found.append((new, _read(new, [text]), CONTRADICTED, text))
        if other and luck.random() < 0.8:
            found.append((other, _read(other, [text]), UNSUPPORTED, text))
        if other and luck.random() < 0.3:
            both = f"{statement.rstrip('.')}, and {other[:1].lower()}{other[1:]}"
            found.append((both, _read(both, [text]), PARTIAL, text))
    for right, wrong, why in questions(data):
        found.append((right, _read(right, [why]), SUPPORTED, why))
        if luck.random() < 0.6:
            found.append((wrong, _read(wrong, [why]), CONTRADICTED, why))
    for row in rows(data / "qa" / "medec_val.jsonl.gz"):
        bad, good, text = row.get("Error Sentence"), row.get("Corrected Sentence"), row["Text"]
        if bad and good and bad != "NA" and bad in text and split("medec_val", group_of(row)) == "train":
            true = text.replace(bad, good)
            found.append((bad, _read(bad, [true]), CONTRADICTED, true))
    luck.shuffle(found)
    return found
