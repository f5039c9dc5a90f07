"""A reply in the words of a model that has the privilege to face patients; checked, or the plain words stay.

The check allows no finding, number or name that the plain words do not hold, and no denial turned round.
"""

import re

from osler.education.patient.patient import Reply
from osler.education.patient.script import WORDS, Script, names_one
from osler.models import Message, Request
from osler.reasoning.privilege import withheld
from osler.reasoning.resources import Run
from osler.text import numbers

PRIVILEGE = "patient-facing"
TOKENS = 120
_NAME = re.compile(r"(?<=[a-z,] )[A-Z]\w+")  # inside a sentence


def phrased(reply: Reply, question: str, script: Script, run: Run) -> Reply:
    """The reply, told as a person would, where the configured model may and its wording holds; else as it is."""
    if reply.kind != "told" or question.startswith("/") or withheld(PRIVILEGE, script.language, run):
        return reply
    words = WORDS[script.language]["phrase"]
    asked = words["ask"].format(personality=script.personality, question=question, told=reply.text)
    messages = [Message("system", words["system"]), Message("user", asked)]
    made = run.generate([Request(messages=messages, max_tokens=TOKENS)])
    text = made[0].text.strip()
    return reply.model_copy(update={"text": text}) if holds(text, reply.text, script, run) else reply


def holds(text: str, plain: str, script: Script, run: Run) -> bool:
    """Whether a wording says no more and nothing else than the plain words."""
    if not text or names_one(text, script.sealed) or set(numbers(text)) - set(numbers(plain)):
        return False
    said, told = ({(one.code, one.status) for one in run.resources.recogniser.find(each)} for each in (text, plain))
    return said == told and set(_NAME.findall(text)) <= set(_NAME.findall(plain))
