"""The kinds of reports: one template file each, which a hospital edits by putting its own under `OSLER_HOME/reports`.

A template names sections in both languages and the topics each takes, and which of them the record must have.
"""

import tomllib
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from osler.errors import InputError
from osler.settings import Settings

SHIPPED = Path(__file__).parent / "kinds"
Words = dict[str, str]  # by language


class Section(BaseModel):
    """`topics`: what of the record stands here, in this order; `required`: said to be missing where nothing is found;
    `most`: statements at most; `open`: what is left for the clinician to write."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    key: str
    title: Words
    topics: list[str] = []
    required: bool = False
    most: int = 60
    open: Words | None = None


class Kind(BaseModel):
    """A template. `plain`: for the patient's own eyes."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    about: str
    title: Words
    plain: bool = False
    sections: list[Section]


def kinds(settings: Settings) -> dict[str, Kind]:
    """All kinds by name; a file of the home's folder `reports` replaces the shipped one of its name. Raises InputError
    naming the file and the key that is wrong."""
    found = {}
    for folder in (SHIPPED, settings.home / "reports"):
        for path in sorted(folder.glob("*.toml")):
            found[path.stem] = _read(path)
    return found


def _read(path: Path) -> Kind:
    try:
        given: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
        return Kind(name=path.stem, **given)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, TypeError) as error:
        raise InputError(f"not a template of a report: {error}", where=str(path)) from None
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise InputError(f"not a template of a report: {first['msg']}", where=f"{path}, {place}") from None
