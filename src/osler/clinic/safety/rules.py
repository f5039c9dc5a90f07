"""The red-flag rules as data: features (phrases, ontology terms, derived conditions) and the rules over them.

Read once from `data/red_flags/*.toml` and checked: a name that no file defines is an error at load, not a silent miss.
"""

import functools
import importlib.resources
import tomllib
from collections.abc import Iterable
from typing import Any, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, ValidationError, field_validator

from osler.clinic.safety import conditions
from osler.clinic.safety.phrases import Phrasebook
from osler.clinic.safety.vitals import MEASURES
from osler.errors import IntegrityError

# Names that the patient answers, not the text.
PERSONAL = ("male", "female", "pregnant")


class Feature(BaseModel):
    """Something a note may say. `hpo`: "HP:0001945 ! Fever", descendants count; `time`, `who`: "any" where a past
    event or a relative counts too; `plain`: words of time or manner, which have no context of their own; `when`: holds
    as well if this condition does."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    hpo: tuple[str, ...] = ()
    en: tuple[str, ...] = ()
    zh: tuple[str, ...] = ()
    when: str | None = None
    time: Literal["current", "any"] = "current"
    who: Literal["patient", "any"] = "patient"
    plain: bool = False

    @field_validator("en", "zh", mode="before")
    @classmethod
    def _phrases(cls, value: object) -> object:
        return (
            tuple(phrase.strip() for phrase in value.split(";") if phrase.strip()) if isinstance(value, str) else value
        )

    @property
    def codes(self) -> tuple[str, ...]:
        return tuple(term.split(" ! ")[0] for term in self.hpo)


class Rule(BaseModel):
    """One emergency: when it is raised, what to do, and which published guideline says so. `beside`: other rules that
    it doesn't explain away (septic shock leaves sepsis standing)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    label: str
    label_zh: str
    when: str
    beside: tuple[str, ...] = ()
    urgency: Literal["immediate", "urgent", "soon"]
    action: str
    action_zh: str
    source: str
    year: int


class RuleBook(NamedTuple):
    features: dict[str, Feature]
    rules: list[Rule]
    conditions: dict[str, conditions.Condition]
    phrasebook: Phrasebook

    @property
    def codes(self) -> dict[str, list[str]]:
        """Features by HPO code."""
        table: dict[str, list[str]] = {}
        for name, feature in self.features.items():
            for code in feature.codes:
                table.setdefault(code, []).append(name)
        return table


@functools.cache
def load_rules() -> RuleBook:
    """The shipped rules. Raises IntegrityError naming the file and rule that can't be used."""
    folder = importlib.resources.files("osler.clinic.safety") / "data" / "red_flags"
    features: dict[str, Feature] = {}
    rules: list[Rule] = []
    for file in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if not file.name.endswith(".toml"):
            continue
        content = tomllib.loads(file.read_text(encoding="utf-8"))
        for name, entry in content.get("features", {}).items():
            if name in features:
                raise IntegrityError(f"feature {name} is defined twice.", where=file.name)
            features[name] = _checked(Feature, entry, f"{file.name}: feature {name}")
        rules += [_checked(Rule, entry, f"{file.name}: rule {entry.get('id')}") for entry in content.get("rules", [])]
    return _book(features, rules)


def _checked(model: type[Any], entry: dict[str, Any], where: str) -> Any:
    try:
        return model.model_validate(entry)
    except ValidationError as error:
        raise IntegrityError(f"{error.errors()[0]['loc']}: {error.errors()[0]['msg']}", where=where) from None


def _book(features: dict[str, Feature], rules: Iterable[Rule]) -> RuleBook:
    rules = list(rules)
    parsed = {name: conditions.parse(feature.when, name) for name, feature in features.items() if feature.when}
    parsed.update({rule.id: conditions.parse(rule.when, rule.id) for rule in rules})
    for owner, condition in parsed.items():
        for name in conditions.names(condition):
            known = (
                name.name in MEASURES or name.name == "age"
                if isinstance(name, conditions.Compare)
                else (name.name in features or name.name in PERSONAL)
            )
            if not known:
                raise IntegrityError(f"{name.name} is not defined.", where=owner)
    for rule in rules:
        if unknown := set(rule.beside) - {other.id for other in rules}:
            raise IntegrityError(f"rule {min(unknown)} is not defined.", where=rule.id)
    phrasebook = Phrasebook({name: (*feature.en, *feature.zh) for name, feature in features.items()})
    return RuleBook(features, rules, parsed, phrasebook)
