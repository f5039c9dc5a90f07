"""From sources to a folder that a stage may learn from: checked, without repeats and test items, divided, with a data
sheet (Gebru et al. 2021) that says what was taken and what was left out. The whole folder is made, or nothing.
"""

import hashlib
import json
import random
import shutil
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

from osler import __version__
from osler.adaptation.data.checks import PERSONAL, Duplicates, Tests, identifiers, tests
from osler.adaptation.data.licences import permitted
from osler.adaptation.data.made import made
from osler.adaptation.data.readers import Bad, Kind, Row, read
from osler.adaptation.data.shared import listed, shared
from osler.adaptation.memorised import CANARIES, Canary, canaries
from osler.errors import InputError
from osler.ledger.chain import now
from osler.models.embedder import configured_embedder
from osler.privacy.deid import mask
from osler.settings import Settings
from osler.text import language_of

Phi = Literal["refuse", "drop", "mask"]
VALID = 5  # percent of groups that validate
LONGEST = 20_000  # characters of a row
MADE = 1000  # rows of what is made, unless a limit says otherwise
OWN = "CC0-1.0 wording; facts as the graph's sources license them (CC BY 4.0)"


class Source(NamedTuple):
    """Where rows come from, under which licence."""

    name: str
    licence: str
    rows: Iterator[Row | Bad]
    sha256: str | None


def prepare(
    inputs: Sequence[str],
    target: Path,
    settings: Settings,
    licence: str = "",
    permission: str | None = None,
    phi: Phi = "refuse",
    seed: int = 0,
    limit: int | None = None,
    hidden: int = 0,
) -> dict[str, Any]:
    """Make the folder `target`; its data sheet. `inputs`: files, `set:NAME` of the bench's data, `library:NAME`, or
    `made:definitions|relations|paths|calculators`. `limit`: rows of each, the first ones. `hidden`:
    canaries put among the training rows, for `osler adapt memorised`.

    Raises InputError for a licence that forbids training, an identifier under `refuse` (naming file, line and kind, not
    the text), or where nothing is left.
    """
    if target.exists() and any(target.iterdir()):
        raise InputError("the folder is not empty", where=str(target), hint="Give a new one.")
    data = Path(settings.bench.data).expanduser() if settings.bench.data else None
    sources = [_source(one, settings, data, licence, permission, seed, limit) for one in inputs]
    embedder = configured_embedder(settings)
    known, seen = tests(data, embedder.embed_queries), Duplicates()
    kept: dict[tuple[str, str], list[Row]] = defaultdict(list)
    sheets = []
    for source in sources:
        counts, taken = Counter[str](), 0
        for row in source.rows:
            if limit is not None and taken >= limit:
                break
            good = _kept(row, counts, seen, known, phi)
            if good is not None:
                taken += 1
                kept[good.kind, _part(good, source.name)].append(good)
        sheets.append(_counted(source, counts))
    if not any(part == "train" for _, part in kept):
        raise InputError("nothing is left to learn from", where=", ".join(inputs), hint=_said(sheets))
    planted = canaries(hidden, seed)
    kind: Kind = "instruction" if ("instruction", "train") in kept else "plain"
    if planted:
        rows = [Row(kind, one.row(kind), one.asked, "canary") for one in planted for _ in range(one.times)]
        kept[kind, "train"] += rows
        random.Random(seed).shuffle(kept[kind, "train"])
    sheet = {
        "made": now(),
        "osler": __version__,
        "seed": seed,
        "identifiers": phi,
        "canaries": len(planted),
        "tests": known.sets or "not checked: bench.data names no folder",
        "sources": sheets,
    }
    return _written(sheet, kept, planted, target)


def _source(
    name: str, settings: Settings, data: Path | None, licence: str, permission: str | None, seed: int, limit: int | None
) -> Source:
    scheme, _, rest = name.partition(":")
    if scheme == "made":
        return Source(name, OWN, made(rest, seed, limit or MADE), None)
    if scheme == "set":
        found = listed(rest, data or Path("."))
        usable = "train-ok" in found.use
        said = found.licence if usable else permitted(f"{found.licence}; use unknown", name, permission)
        return Source(name, said, shared(rest, data or Path(".")), _sha256((data or Path(".")) / found.path))
    if scheme == "library":
        return Source(name, permitted(licence, name, permission), _library(rest, settings), None)
    path = Path(name)
    if not path.is_file():
        raise InputError("no such file", where=name, hint="Or give set:NAME, library:NAME or made:WHAT.")
    beside = path.with_name("LICENCE")
    stated = licence or (beside.read_text(encoding="utf-8").strip().splitlines()[0] if beside.is_file() else "")
    return Source(path.name, permitted(stated, name, permission), read(path), _sha256(path))


def _library(name: str, settings: Settings) -> Iterator[Row]:
    from osler.knowledge.library import open_library

    library = open_library(name, settings)
    for document in library.store.documents():
        text = "\n\n".join(passage.text for passage in library.document(document))
        yield Row("plain", {"text": text}, document, document)


def _kept(row: Row | Bad, counts: Counter[str], seen: Duplicates, known: Tests, phi: Phi) -> Row | None:
    counts["read"] += 1
    if isinstance(row, Bad):
        counts[f"not used: {row.why}"] += 1
        return None
    text = row.text
    if len(text) > LONGEST:
        counts["not used: too long"] += 1
        return None
    if seen.seen(text):
        counts["not used: like an earlier row"] += 1
        return None
    if known.leaks(row.question, text):
        counts["not used: like a test item"] += 1
        return None
    found = identifiers(text)
    if found and phi == "refuse":
        said = f"identifiers of a person ({', '.join(found)})"
        raise InputError(said, where=row.where, hint="--phi drop leaves such rows out, --phi mask replaces them.")
    if found and phi == "drop":
        counts["not used: identifiers of a person"] += 1
        return None
    if found:
        counts["identifiers replaced"] += 1
        row = row._replace(value=_masked(row.value))
    counts["kept"] += 1
    counts["characters"] += len(text)
    counts[f"language {language_of(text)}"] += 1
    return row


def _masked(value: Any) -> Any:
    if isinstance(value, str):
        return mask([value])[0][0]
    if isinstance(value, list):
        return [_masked(one) for one in value]
    if isinstance(value, dict):
        return {key: one if key in ("role", "check", "provenance") else _masked(one) for key, one in value.items()}
    return value


def _part(row: Row, source: str) -> str:
    digest = hashlib.sha256(f"{source}\x1f{row.group}".encode()).digest()
    return "valid" if int.from_bytes(digest[:4], "big") % 100 < VALID else "train"


def _counted(source: Source, counts: Counter[str]) -> dict[str, Any]:
    return {
        "name": source.name,
        "licence": source.licence,
        "sha256": source.sha256,
        "counts": dict(sorted(counts.items())),
    }


def _said(sheets: Sequence[dict[str, Any]]) -> str:
    return "; ".join(
        f"{one['name']}: {', '.join(f'{n} {what}' for what, n in one['counts'].items())}" for one in sheets
    )


def _written(
    sheet: dict[str, Any], kept: dict[tuple[str, str], list[Row]], planted: list[Canary], target: Path
) -> dict[str, Any]:
    """All files in a folder beside, which then takes the name."""
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
    except OSError as error:
        raise InputError(f"can't be written: {error.strerror}", where=str(target)) from None
    try:
        sheet = {**sheet, "outputs": {}, "rows": {}}
        for (kind, part), found in sorted(kept.items()):
            path = folder / f"{kind}.{part}.jsonl"
            lines = (json.dumps(row.value, ensure_ascii=False) + "\n" for row in found)
            path.write_text("".join(lines), encoding="utf-8")
            sheet["outputs"][path.name], sheet["rows"][path.name] = _sha256(path), len(found)
        if planted:
            said = json.dumps([one._asdict() for one in planted], indent=1)
            (folder / CANARIES).write_text(said, encoding="utf-8")
        (folder / "datasheet.json").write_text(json.dumps(sheet, indent=1, ensure_ascii=False), encoding="utf-8")
        (folder / "DATASHEET.md").write_text(_page(sheet), encoding="utf-8")
        if target.exists():
            target.rmdir()
        folder.rename(target)
    except OSError as error:
        raise InputError(f"can't be written: {error.strerror}", where=str(target)) from None
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return sheet


def _page(sheet: dict[str, Any]) -> str:
    tested = sheet["tests"] if isinstance(sheet["tests"], str) else ", ".join(sheet["tests"])
    lines = [
        "# Data sheet",
        "",
        f"Made {sheet['made'][:10]} by Osler {sheet['osler']}, seed {sheet['seed']}.",
        f"Identifiers of people ({', '.join(sorted(PERSONAL))}): {sheet['identifiers']}.",
        f"Compared with the test items of: {tested}.",
        f"Canaries: {sheet['canaries']}.",
        "",
        "| source | licence | counts |",
        "|---|---|---|",
    ]
    for one in sheet["sources"]:
        counts = ", ".join(f"{what} {n:,}" for what, n in one["counts"].items())
        lines.append(f"| {one['name']} | {one['licence']} | {counts} |")
    lines += ["", "| file | rows | sha256 |", "|---|---:|---|"]
    lines += [f"| {name} | {sheet['rows'][name]:,} | {digest} |" for name, digest in sheet["outputs"].items()]
    return "\n".join(lines) + "\n"


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
