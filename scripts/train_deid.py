"""Trains the weights of the de-identifier's tagger: `python scripts/train_deid.py --data DATA [--check]`.

Trained on: the tune halves of the project's blind notes, presidio_synth and asq_phi_dev, meddocan_train, the notes of
training/deid written for it, forms made from training/deid/labels.toml, and medical prose without identifiers. Names,
places and numbers are replaced by others at random in each copy, so that contexts and word classes are learned and
not the names. `--check` holds a fifth of the blind notes out, five times, and prints what was missed.
"""

import argparse
import gzip
import json
import random
import re
import tomllib
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple, get_args

import numpy as np
from scipy.sparse import csr_matrix

from osler.privacy import detect, tagger
from osler.privacy.patterns import matches, shipped
from osler.privacy.spans import SpanType
from osler.privacy.tokens import cues, lexicon, plain, tokenise
from osler.splits import _bucket, split

ROOT = Path(__file__).resolve().parents[1]
KINDS = ["O", *get_args(SpanType)]
IGNORED = -1
Mark = tuple[int, int, str]  # kind "?" : neither taught nor untaught


class Note(NamedTuple):
    text: str
    marks: list[Mark]
    copies: float
    group: int = -1  # the fold of a blind note


def rows(path: Path) -> Iterator[dict]:
    with (gzip.open if path.suffix == ".gz" else open)(path, "rt", encoding="utf-8") as lines:
        yield from map(json.loads, lines)


# --- sources

KIND_OF = tomllib.loads((ROOT / "src/osler/bench/data/deid.toml").read_text("utf-8"))["kinds"]


def kind_of(foreign: str, text: str) -> str:
    """Osler's kind of a public set's mark; ages below 90 and what is no identifier are nothing."""
    kind = KIND_OF.get(foreign) or "?"
    if kind == "ADDRESS" and text.strip().isdigit():
        return "ZIP"
    if kind == "AGE":
        return "AGE" if re.search(r"(?<!\d)(?:9\d|1\d\d)(?!\d)|ninet|hundred", text) else "O"
    return kind


def blind(name: str, copies: float) -> Iterator[Note]:
    path = ROOT / "tests" / "sets" / f"{name}.jsonl"
    for row in rows(path):
        if split(name, row["id"]) == "tune":
            marks = [(s["start"], s["end"], s["type"]) for s in row["spans"]]
            yield Note(row["text"], marks, copies, _bucket("deid/fold", row["id"], 5))


def public(data: Path) -> Iterator[Note]:
    for row in rows(data / "deid" / "presidio_synth.jsonl.gz"):
        if split("presidio_synth", str(row["template_id"])) == "tune":
            marks = [
                (s["start_position"], s["end_position"], kind_of(s["entity_type"], s["entity_value"]))
                for s in row["spans"]
            ]
            yield Note(row["full_text"], marks, 1)
    for row in rows(data / "deid" / "asq_phi_dev.jsonl.gz"):
        if split("asq_phi_dev", row["id"]) == "tune":
            tags = [t for t in row["phi_tags"] if t.get("start") is not None]
            marks = []
            for t in tags:
                kind = kind_of(t["identifier_type"], t["value"])
                if kind == "ADDRESS" and any("institution" in cues().get(w.lower(), ()) for w in t["value"].split()):
                    kind = "HOSPITAL"
                marks.append((t["start"], t["end"], kind))
            yield Note(row["query"], marks, 4)
    for number, row in enumerate(rows(data / "deid" / "meddocan_train.jsonl.gz")):
        marks = [(s["start"], s["end"], kind_of(s["type"], row["text"][s["start"] : s["end"]])) for s in row["spans"]]
        cut = min([len(row["text"]), max([m[1] for m in marks[:14]] + [700])])
        text = row["text"] if number % 4 == 0 else row["text"][:cut]
        yield Note(text, [m for m in marks if m[1] <= len(text)], 1)


def marked(path: Path) -> Iterator[tuple[str, list[Mark]]]:
    """Notes of a file, parted by lines of ===, with marks [[KIND|text]]."""
    for block in re.split(r"\n===+\n", path.read_text(encoding="utf-8").strip("\n")):
        text, marks, at = "", [], 0
        for match in re.finditer(r"\[\[([A-Z]+)\|(.+?)\]\]", block, re.S):
            text += block[at : match.start()]
            marks.append((len(text), len(text) + len(match[2]), match[1]))
            text += match[2]
            at = match.end()
        yield text + block[at:], marks


def own() -> Iterator[Note]:
    for path in sorted((ROOT / "training" / "deid").glob("*.md")):
        for text, marks in marked(path):
            yield Note(text, marks, 14)


def prose(data: Path, random_: random.Random) -> Iterator[Note]:
    """Medical text that names nobody; what could be a date, a town or a title's name is neither taught nor untaught."""
    sources: list[tuple[str, Callable[[dict], str], int]] = [
        ("qa/medec_val.jsonl.gz", lambda r: r["Text"], 400),
        ("qa/pubmedqa_dev.jsonl.gz", lambda r: " ".join(r["context"]["contexts"]), 250),
        ("adapt/medquad_qa.jsonl.gz", lambda r: r["answer"][:700], 500),
        ("qa/cmexam_dev.jsonl.gz", lambda r: f"{r['Question']}\n{r['Explanation'] or ''}"[:300], 900),
        ("notes/mtsdialog_train.jsonl.gz", lambda r: " ".join(str(v) for k, v in r.items() if k != "ID")[:1500], 400),
    ]
    for name, text_of, count in sources:
        texts = list({text_of(row) for row in rows(data / name)})
        texts.sort()
        random_.shuffle(texts)
        for text in texts[:count]:
            doubtful = [
                (m.start, m.end, "?") for m in matches(text, shipped()) if m.rule.sure or m.rule.name == "DATEDM"
            ]
            doubtful += [
                (m.start(), m.end(), "?")
                for m in re.finditer(r"(?<![.\n] )\b[A-Z][a-z]+\b", text)
                if re.search("p[23]|g3", lexicon().get(plain(m.group()), ""))
                and "c3" not in lexicon()[plain(m.group())]
            ]
            doubtful += [
                (m.start(1), m.end(1), "?")
                for m in re.finditer(r"\b(?:Dr|Mr|Mrs|Ms|Miss|Doctor)\.? ([\w.-]+(?: [A-Z]\w+)?)", text)
            ]
            yield Note(text, doubtful, 1)


# --- variation

BY_CLASS: dict[str, list[str]] = {}
for _word, _classes in lexicon().items():
    for _class in re.findall(r"[a-z]\d", _classes):
        BY_CLASS.setdefault(_class, []).append(_word)
ZH = tomllib.loads((Path(tagger.__file__).parent / "data" / "chinese.toml").read_text("utf-8"))["characters"]
ZH = {key: "".join(value.split()) for key, value in ZH.items()}
MONTHS = "January February March April May June July August September October November December".split()
SYLLABLES = (
    "ba be bi ka ke ko la li lo ma mi mo na ne nu ra ri ro sa se su ta te ti va vi wa ya zo cha shi tha "
    "gri bro del fen hart mund son wyn ova ski ley ton ham quist ulla enna iko aya oye nwa dze"
).split()


class Variation:
    """Replaces identifiers by others of the same make, one text at a time."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def word(self, surname: bool) -> str:
        if self.random.random() < 0.1:
            return "".join(self.random.choice(SYLLABLES) for _ in range(self.random.randint(2, 3)))
        letter = "s" if surname else "g"
        return self.random.choice(BY_CLASS[f"{letter}{self.random.choices((1, 2, 3), (25, 40, 35))[0]}"])

    def place(self) -> str:
        return self.random.choice(BY_CLASS[self.random.choice(["p1", "p2", "p3", "q1", "q2", "s2"])])

    def like(self, old: str, new: str) -> str:
        return new.upper() if old.isupper() and len(old) > 1 else new.title() if old[0].isupper() else new

    def __call__(self, note: Note) -> tuple[str, list[Mark]]:
        seen: dict[str, str] = {}
        pieces, marks, at, length = [], [], 0, 0
        for start, end, kind in sorted(note.marks):
            if start < at:
                continue
            old = note.text[start:end]
            new = self.other(old, kind, seen) if kind not in ("?", "O") and self.random.random() < 0.93 else old
            pieces += [note.text[at:start], new]
            length += start - at
            marks.append((length, length + len(new), kind))
            length += len(new)
            at = end
        text = "".join([*pieces, note.text[at:]])
        chance = self.random.random()
        if chance < 0.12 and len(text.lower()) == len(text):
            text = text.lower()
        elif chance < 0.16 and len(text.upper()) == len(text):
            text = text.upper()
        return text, marks

    def other(self, old: str, kind: str, seen: dict[str, str]) -> str:
        if re.search(r"[\u4e00-\u9fff]", old):
            return self.chinese(old, kind, seen)
        if kind in ("NAME", "ADDRESS", "HOSPITAL"):
            words = [m.group() for m in re.finditer(r"[^\W\d_]+", old)]
            last = (
                ""
                if not words
                else words[0]
                if "," in old
                else words[-1]
                if len(words) > 1 or self.random.random() < 0.3
                else ""
            )

            def swap(match: re.Match[str]) -> str:
                word = match.group()
                low = plain(word)
                if word in seen:
                    return seen[word]
                if low in "de la van der den von del da dos bin ibn ap al el le du y and of the st at on".split():
                    return word
                if len(word) == 1:
                    return self.like(word, self.random.choice("abcdefghijklmnoprstvwyz"))
                if kind == "NAME":
                    new = self.word(word == last)
                elif {"street", "institution"} & set(cues().get(low, ())) or low == "st" or self.random.random() < 0.25:
                    return word
                else:
                    new = self.place() if self.random.random() < 0.6 else self.word(True)
                return seen.setdefault(word, self.like(word, new))

            return re.sub(r"\d", lambda m: self.random.choice("123456789"), re.sub(r"[^\W\d_]+", swap, old))
        if kind == "DATE":
            month = self.random.choice(MONTHS)

            def change(match: re.Match[str]) -> str:
                word = match.group()
                if word.isdigit():
                    if len(word) == 4:
                        return str(self.random.randint(1930, 2025))
                    value = int(word)
                    new = (
                        self.random.randint(1, 12)
                        if value <= 12
                        else self.random.randint(13, 28)
                        if value < 32
                        else value
                    )
                    return f"{new:0{len(word)}d}" if word[0] == "0" or (len(word) == 2 and new > 9) else str(new)
                if word.title() in MONTHS:
                    return self.like(word, month.lower())
                if word.title() in [m[:3] for m in MONTHS]:
                    return self.like(word, month[:3].lower())
                return word

            return re.sub(r"[^\W\d_]+|\d+", change, old)
        if kind == "AGE":
            return re.sub(r"\d+", lambda m: str(self.random.randint(90, 103)), old)
        if kind in ("EMAIL", "URL"):
            return old
        changed = re.sub(r"\d", lambda m: self.random.choice("0123456789"), old)
        return re.sub(r"(?<![a-z])[A-Z](?![a-z])", lambda m: self.random.choice("ABCDEFGHJKLMNPRSTUVWXYZ"), changed)

    def chinese(self, old: str, kind: str, seen: dict[str, str]) -> str:
        pick = self.random.choice
        if kind == "NAME":
            if old in seen:
                return seen[old]
            lead = old[0] if old[0] in "老小阿大" and len(old) < 4 else ""
            first = pick(ZH["s"][:120]) if self.random.random() < 0.7 else pick(ZH["s"])
            rest = "".join(pick(ZH["g"]) for _ in range(len(old) - 1 - len(lead) if len(old) - len(lead) < 4 else 2))
            for other, name in list(seen.items()):
                if len(other) > len(old) and old in other:
                    return name[-len(old) :] if other.endswith(old) else name[: len(old)]
            return seen.setdefault(old, lead + first + rest)
        if kind in ("ADDRESS", "HOSPITAL") and self.random.random() < 0.6:
            part = lambda m: "".join(pick(PLACE_CHARACTERS) for _ in m[1]) + m[2]  # noqa: E731
            old = re.sub(r"([\u4e00-\u9fff]{2,3}?)(省|市|区|县|镇|乡|路|街|村)", part, old)
            old = re.sub(r"^([\u4e00-\u9fff]{2})(.*医院|.*卫生院)", part, old)
        elif kind == "DATE":
            old = re.sub(r"[二三四五六七八九](?=[月日号])", lambda m: pick("二三四五六七八九"), old)
        return re.sub(r"\d+", lambda m: m[0] if kind == "DATE" and len(m[0]) == 4 else self.digits(m[0], kind), old)

    def digits(self, old: str, kind: str) -> str:
        if kind == "DATE":
            return str(self.random.randint(1, 12) if int(old) < 13 else self.random.randint(13, 28))
        return "".join(self.random.choice("0123456789") for _ in old)


PLACE_CHARACTERS = (
    "安阳平江州海山河南北东西宁川林城庆泰武昌丰台石门桥清源湖沙田文华新永长春吉龙凤云金银铜铁高青白黄红大"
    "兴和定康乐宝鸡天水汉口"
)


# --- forms made of labels


def forms(count: int, seed: int) -> Iterator[Note]:
    """Header blocks and sentences from training/deid/labels.toml: a label, a separator, a value of its kind."""
    tables = tomllib.loads((ROOT / "training" / "deid" / "labels.toml").read_text("utf-8"))
    pick = random.Random(seed)
    change = Variation(seed + 1)
    plain_lines = tables["nothing"]
    for number in range(count):
        language = "zh" if number % 4 == 0 else "en"
        table = tables[language]
        text, marks = "", []
        for _ in range(pick.randint(3, 10)):
            if pick.random() < 0.3:
                text += pick.choice(plain_lines[language]) + pick.choice(["\n", "\n", "  ", " | "])
                continue
            kind = pick.choice(list(table))
            row = table[kind]
            label = pick.choice(row["labels"])
            label = pick.choice([label, label, label.title(), label.upper()])
            value = change.other(pick.choice(row["values"]), kind, {})
            glue = pick.choice(
                [": ", ": ", ":", " ", " - ", " : ", " # ", "\t", " no. ", " #"]
                if language == "en"
                else ["：", "：", ":", "", " "]
            )
            before = text + label + glue
            marks.append((len(before), len(before) + len(value), kind))
            text = before + value + pick.choice(["\n", "\n", "   ", ", ", "; ", " | ", ". "])
        yield Note(text, marks, 0.999)


# --- learning


def labelled(text: str, marks: list[Mark]) -> tuple[np.ndarray, np.ndarray]:
    hinted = [(m.start, m.end, m.rule.name) for m in detect.settled(matches(text, shipped()), len(text))]
    tokens = tokenise(text, hinted)
    rows_ = tagger.features(tokens)
    target = np.zeros(len(tokens.starts), dtype=np.int32)
    marks = sorted(marks)
    at = 0
    for i, start in enumerate(tokens.starts):
        while at < len(marks) and marks[at][1] <= start:
            at += 1
        if at < len(marks) and marks[at][0] < tokens.ends[i] and start < marks[at][1]:
            kind = marks[at][2]
            target[i] = IGNORED if kind == "?" else KINDS.index(kind)
    return rows_, target


def corpus(notes: list[Note], seed: int) -> tuple[np.ndarray, np.ndarray]:
    change = Variation(seed)
    xs, ys = [], []
    for note in notes:
        for copy in range(max(1, round(note.copies))):
            text, marks = (note.text, note.marks) if copy == 0 and note.copies != 0.999 else change(note)
            x, y = labelled(text, marks)
            xs.append(x[y != IGNORED].astype(np.int32))
            ys.append(y[y != IGNORED])
    return np.concatenate(xs), np.concatenate(ys)


def train(x: np.ndarray, y: np.ndarray, epochs: int, rate: float = 0.25, decay: float = 1.5e-7) -> np.ndarray:
    """Multinomial logistic regression by Adagrad in batches; weights of features seen once stay 0."""
    size, kinds = 2**tagger.BITS, len(KINDS)
    seen = np.bincount(x.ravel(), minlength=size) > 1
    weight, squares = np.zeros((size, kinds), np.float32), np.full((size, kinds), 1e-3, np.float32)
    order = np.random.default_rng(1)
    width = x.shape[1]
    places = order.permutation(len(x))
    batches = []
    for start in range(0, len(x), 8192):
        batch = places[start : start + 8192]
        used, inverse = np.unique(x[batch].ravel(), return_inverse=True)
        ones = np.ones(len(batch) * width, np.float32)
        matrix = csr_matrix((ones, inverse, np.arange(0, len(ones) + 1, width)), (len(batch), len(used)))
        batches.append((matrix, used, seen[used, None], y[batch]))
    for epoch in range(epochs):
        loss = 0.0
        step = rate / (1 + epoch) ** 0.5
        for number in order.permutation(len(batches)):
            matrix, used, often, truth = batches[number]
            scores = matrix @ weight[used]
            scores -= scores.max(1, keepdims=True)
            np.exp(scores, out=scores)
            scores /= scores.sum(1, keepdims=True)
            every = np.arange(len(truth))
            loss -= float(np.log(scores[every, truth] + 1e-9).sum())
            scores[every, truth] -= 1
            gradient = (matrix.T @ scores / 128 + decay * 3200 * weight[used]) * often
            squares[used] += gradient**2
            weight[used] -= step * gradient / np.sqrt(squares[used])
        print(f"epoch {epoch + 1}: loss {loss / len(x):.4f}", flush=True)
    return weight


def packed(weight: np.ndarray, floor: float = 0.02) -> dict[str, np.ndarray]:
    step = float(np.abs(weight).max() / 127)
    small = np.round(weight / step).astype(np.int8)
    small[np.abs(weight) < floor] = 0
    rows_, columns = np.nonzero(small)
    return {"rows": rows_.astype(np.uint32), "columns": columns.astype(np.uint8), "values": small[rows_, columns],
            "step": np.float32(step), "kinds": np.array(KINDS)}  # fmt: skip


def use(stored: dict[str, np.ndarray]) -> None:
    table = np.zeros((2**tagger.BITS, len(KINDS)), np.int8)
    table[stored["rows"], stored["columns"]] = stored["values"]
    ready = tagger.Weights(table, float(stored["step"]), KINDS)
    tagger.weights = lambda: ready
    detect.weights = lambda: ready


def check(notes: list[Note], show: bool) -> None:
    """Recall and precision on notes that were not trained on, at several thresholds."""
    for threshold in (0.9, 0.8, 0.65, 0.5):
        gold, hit, found, right = Counter(), Counter(), Counter(), Counter()
        for note in notes:
            spans = detect.find_identifiers(note.text, threshold=threshold)
            covered = {i for s in spans for i in range(s.start, s.end)}
            for start, end, kind in note.marks:
                good = all(i in covered or note.text[i].isspace() for i in range(start, end))
                gold.update([kind, "all"])
                hit.update([kind, "all"] if good else [])
                if show and not good and threshold == 0.65:
                    print(
                        "missed",
                        kind,
                        repr(note.text[max(0, start - 25) : start]),
                        repr(note.text[start:end]),
                        repr(note.text[end : end + 12]),
                    )
            for s in spans:
                good = any(s.start < end and start < s.end for start, end, _ in note.marks)
                found.update([s.type, "all"])
                right.update([s.type, "all"] if good else [])
                if show and not good and threshold == 0.65:
                    print(
                        "wrong",
                        s.type,
                        s.score,
                        repr(note.text[max(0, s.start - 15) : s.start]),
                        repr(note.text[s.start : s.end]),
                    )
        line = " ".join(f"{k}:{hit[k]}/{gold[k]},{right[k] / max(1, found[k]):.2f}" for k in sorted(gold))
        recall, precision = hit["all"] / gold["all"], right["all"] / max(1, found["all"])
        print(f"threshold {threshold}: recall {recall:.3f} precision {precision:.3f} | {line}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--check", type=int, nargs="*", help="hold these folds of the blind notes out; writes nothing")
    parser.add_argument("--show", action="store_true")
    parser.add_argument("--blind", nargs="*", default=["deid_notes", "deid_notes_2"])
    options = parser.parse_args()
    held = [note for name in options.blind for note in blind(name, 10)]
    rest = [*public(options.data), *own(), *forms(4000, 7), *prose(options.data, random.Random(5))]
    used = [note for note in held if note.group not in (options.check or [])]
    x, y = corpus([*used, *rest], 3)
    print(f"{len(x):,} tokens, {int((y > 0).sum()):,} of identifiers", flush=True)
    stored = packed(train(x, y, options.epochs))
    if options.check:
        use(stored)
        check([note for note in held if note.group in options.check], options.show)
    else:
        np.savez_compressed(Path(tagger.__file__).parent / "data" / "tagger.npz", **stored)


if __name__ == "__main__":
    main()
