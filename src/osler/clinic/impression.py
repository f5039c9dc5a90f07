"""A privileged model's own words on the case, written from the consult's evidence and verified against it.

What is not supported is left out; the deterministic statements stay beneath. It finds no evidence itself.
"""

from osler.nouns import Answer, ModelReference, Statement
from osler.reasoning.cited import cited_request, parsed
from osler.reasoning.privilege import withheld
from osler.reasoning.resources import Run
from osler.reasoning.verify import verify
from osler.text import Language

READ = 8  # pieces of evidence that the model sees


def with_impression(answer: Answer, run: Run, language: Language) -> Answer:
    """The answer with what the model wrote in front, its section "impression"; without the privilege "summarise", or
    where nothing it wrote is supported, the answer as it was, saying why no model was asked."""
    if why := withheld("summarise", language, run):
        return answer.model_copy(update={"withheld": why})
    evidence = [run.evidence[key] for statement in answer.statements for key in statement.evidence]
    evidence = list({item.id: item for item in evidence}.values())[:READ]
    if answer.abstained or not evidence:
        return answer
    request = cited_request(answer.question, evidence, language, seed=run.settings.consult.seed)
    written = parsed(run.generate([request])[0].text).get("statements", [])
    supported = []
    for item in written:
        cited = [evidence[number - 1] for number in dict.fromkeys(item["passages"])]
        if verify(item["text"], cited).verdict == "supported":
            ids = [entry.id for entry in cited]
            text = item["text"].strip()
            supported.append(Statement(text=text, evidence=ids, verdict="supported", section="impression"))
    if not supported:
        return answer
    info = run.resources.model.info
    model = ModelReference(spec=info.spec, digest=info.digest)
    statements = [*supported, *answer.statements]
    return answer.model_copy(update={"statements": statements, "model": model, "mode": "generative"})
