"""A bounded loop of plan and look-up: the model names a tool and its input, sees what it returns, and so on.

The tool's name is constrained to those that exist; nothing else can be called, whatever a document says.
"""

import json

from osler.models import Message
from osler.nouns import Evidence
from osler.reasoning.asking import asked_for, decide, listed, words_of
from osler.reasoning.fence import fenced
from osler.reasoning.packing import packed
from osler.reasoning.passages import given
from osler.reasoning.prompts import prompts
from osler.reasoning.registry import Draft, Question, method
from osler.reasoning.resources import Run
from osler.reasoning.tools import FINISH, tools
from osler.text import language_of, shorten

STEPS = 4
INPUT = 300  # code points of a tool's input


@method("plan-with-tools", paper="Yao et al., ICLR 2023 (ReAct)", calls=f"{STEPS + 1} at most")
def plan_with_tools(question: Question, run: Run) -> Draft:
    """Up to four calls of calculator, graph, interactions and search, then the answer from what they returned."""
    words, known = words_of(question), tools()
    described = "\n".join(f"- {name}: {about}" for name, about in prompts("tools")[language_of(question.text)].items())
    asked = words["plan"].format(question=question.text, options=listed(question))
    messages = [Message("system", words["plan_system"].format(tools=described)), Message("user", asked)]
    properties = {"tool": {"enum": [*known, FINISH]}, "input": {"type": "string", "maxLength": INPUT}}
    schema = {"type": "object", "properties": properties, "required": ["tool", "input"], "additionalProperties": False}
    seen: dict[str, Evidence] = {item.id: item for item in given(question)}
    called: set[tuple[str, str]] = set()
    for _ in range(STEPS):
        step = asked_for(messages, schema, run, tokens=120)
        name, text = str(step.get("tool")), shorten(str(step.get("input", "")), INPUT)
        if name not in known or (name, text) in called:  # finished, cut off, or going in circles
            break
        called.add((name, text))
        found = known[name](text, run)
        run.note(f"tool.{name}", {"input": text}, [item.text for item in found])
        seen |= {item.id: item for item in found}
        messages += [Message("assistant", json.dumps(step, ensure_ascii=False)), Message("user", fenced(found) or "-")]
    return decide(question, run, packed(list(seen.values()), question, run))
