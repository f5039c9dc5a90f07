"""Count in how many paragraphs of the shipped corpora each word stem stands; writes verify's `data/frequency.txt`.

Usage: python scripts/build_verify_frequencies.py DATA_FOLDER. Sources: MedQuAD and five OpenStax books (CC BY 4.0).
"""

import gzip
import json
import sys
from collections import Counter
from pathlib import Path

from osler.reasoning.verify.lexicon import stem
from osler.text import words

OUT = Path(__file__).parents[1] / "src" / "osler" / "reasoning" / "verify" / "data" / "frequency.txt"
LEAST = 25  # paragraphs: rarer stems weigh alike


def main(folder: Path) -> None:
    counts: Counter[str] = Counter()
    total = 0
    for file in sorted((folder / "corpus").glob("*.jsonl.gz")):
        with gzip.open(file, "rt", encoding="utf-8") as lines:
            for line in lines:
                text = str(json.loads(line).get("text") or "")
                for paragraph in filter(str.strip, text.split("\n")):
                    counts.update({stem(word) for word in words(paragraph) if word.isascii() and word.isalpha()})
                    total += 1
    kept = sorted(stem_ for stem_, count in counts.items() if count >= LEAST)
    rows = "\n".join(f"{stem_} {counts[stem_]}" for stem_ in kept)
    OUT.write_text(f"# paragraphs {total}\n{rows}\n", encoding="utf-8")
    print(f"{total} paragraphs, {len(kept)} stems, {OUT.stat().st_size} bytes")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
