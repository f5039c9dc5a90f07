"""A blueprint: a TOML file with a title and a part for each topic.

title = "Respiratory medicine, year 3"
language = "en"            # en or zh; left out: that of each topic

[[part]]
topic = "asthma"
n = 5
level = "apply"            # remember, understand, apply, analyse; left out: all
kind = "single-best"       # single-best, true-false, key-feature, short-answer; left out: as a quiz has them
difficulty = "hard"        # easy, medium (left out), hard
"""

import tomllib
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from osler.education.quiz import Wish
from osler.errors import InputError
from osler.text import Language

MOST = 300  # items of an exam


class Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    topic: str = Field(min_length=1)
    n: int = Field(ge=1, le=MOST)
    level: Literal["remember", "understand", "apply", "analyse"] | None = None
    kind: Literal["single-best", "true-false", "key-feature", "short-answer"] | None = None
    difficulty: Literal["easy", "medium", "hard"] = "medium"

    @property
    def wish(self) -> Wish:
        return Wish(self.n, self.kind, self.level, self.difficulty)


class Blueprint(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    title: str = Field(min_length=1)
    language: Language | None = None
    part: list[Part] = Field(min_length=1)


def read_blueprint(path: Path) -> Blueprint:
    """The blueprint in a TOML file. Raises InputError naming the file and the field that is wrong."""
    try:
        found = Blueprint.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise InputError(f"the file can't be read: {error.strerror}", where=str(path)) from None
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InputError(f"not a TOML file: {error}", where=str(path)) from None
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part + 1) if isinstance(part, int) else part for part in first["loc"])
        raise InputError(f"{field}: {first['msg']}", where=str(path)) from None
    if sum(part.n for part in found.part) > MOST:
        raise InputError(f"more than {MOST} items in all", where=str(path))
    return found
