"""Policies: what is done with each kind of identifier, a hospital's own patterns, and words always or never masked.

A policy is a TOML file; those that ship stand in `data/policies`. It does not know how identifiers are found.
"""

import tomllib
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from osler.errors import InputError
from osler.privacy.detect import THRESHOLD
from osler.privacy.patterns import Rule, rules
from osler.privacy.spans import SpanType

Action = Literal["mask", "surrogate", "keep", "generalise", "shift"]
SHIPPED = files("osler.privacy").joinpath("data/policies")


class Policy(BaseModel):
    """`types`: what is done by kind, else `default`. `allow`: texts that never are identifiers; `deny`: always.
    `rule`: own patterns as in `data/patterns.toml`. `threshold`: how sure a token must be harmless to stay.
    `reader`: whether the model reads along (`detect`)."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)

    name: str
    default: Action = "mask"
    types: dict[SpanType, Action] = {}
    allow: tuple[str, ...] = ()
    deny: tuple[str, ...] = ()
    threshold: float = Field(default=THRESHOLD, gt=0, lt=1)
    reader: bool = True
    rule: tuple[Rule, ...] = ()

    def action(self, kind: SpanType) -> Action:
        return self.types.get(kind, self.default)

    @property
    def keyed(self) -> bool:
        """Whether what is put in depends on a key."""
        return bool({"surrogate", "shift"} & {self.default, *self.types.values()})


def names() -> list[str]:
    """The policies that ship."""
    return sorted(entry.name.removesuffix(".toml") for entry in SHIPPED.iterdir())


def load_policy(name: str) -> Policy:
    """A shipped policy by name, or a file. Raises InputError naming file and place."""
    if name in names():
        text = SHIPPED.joinpath(f"{name}.toml").read_text(encoding="utf-8")
    else:
        try:
            text = Path(name).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            hint = f"Policies: {', '.join(names())}; or the path of a TOML file."
            raise InputError(f"no policy of this name, and no file: {error}", where=name, hint=hint) from None
    own = tuple(rules(text, name))
    fields: dict[str, Any] = {**tomllib.loads(text), "rule": own}
    try:
        return Policy(**{"name": Path(name).stem, **fields})
    except ValidationError as error:
        first = error.errors()[0]
        raise InputError(first["msg"], where=f"{name}, {'.'.join(map(str, first['loc']))}") from None
