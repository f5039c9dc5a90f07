"""A case in better prose by a model that may summarise, kept only if it says the same.

Without the privilege, or where a finding, number or sex is lost or added, the plain words stay.
"""

from osler.education.quiz.material import Draft, Material
from osler.education.quiz.words import WORDS
from osler.models import Message, Request
from osler.reasoning.privilege import withheld
from osler.text import numbers, words

PRIVILEGE, TOKENS, LONGEST = "summarise", 220, 2.0  # times as long as the plain words
SEXES = ("man", "woman", "boy", "girl", "男性", "女性", "男童", "女童")


def reworded(draft: Draft, material: Material) -> Draft:
    """The draft with its patient in the model's words, if it has a patient and the model may and does keep to it."""
    plain = draft.values.get("patient")
    if plain is None or withheld(PRIVILEGE, material.language, material.run):
        return draft
    said = WORDS["reword"][material.language]
    asked = [Message("system", said["system"]), Message("user", said["ask"].format(text=plain))]
    made = material.run.generate([Request(messages=asked, max_tokens=TOKENS)])[0].text.strip()
    if made and same(made, plain, material):
        draft.values = {**draft.values, "patient": made}
    return draft


def same(made: str, plain: str, material: Material) -> bool:
    """Whether two descriptions hold the same findings with the same status, the same numbers and the same sex."""

    def held(text: str) -> tuple[set[tuple[str, str]], list[str], list[str]]:
        found = material.run.resources.recogniser.find(text)
        sexes = [sex for sex in SEXES if sex in words(text) or (not sex.isascii() and sex in text)]
        return {(item.code, item.status) for item in found}, sorted(numbers(text)), sexes

    asks = "?" in made or "？" in made
    return not asks and len(made) <= LONGEST * len(plain) and held(made) == held(plain)
