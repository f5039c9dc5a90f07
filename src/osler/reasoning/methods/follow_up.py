"""Iterative retrieval: the model asks for what is missing, round by round, and answers from what was found."""

from osler.models import Message
from osler.nouns import Evidence
from osler.reasoning.asking import listed, replies, several, think, words_of
from osler.reasoning.fence import fenced
from osler.reasoning.packing import packed
from osler.reasoning.passages import given
from osler.reasoning.registry import Draft, Question, method
from osler.reasoning.resources import Run
from osler.text import shorten

ROUNDS, QUERIES, PASSAGES = 2, 2, 2


@method(
    "follow-up-retrieval",
    paper="Xiong et al., PSB 2025 (i-MedRAG)",
    calls=f"{ROUNDS * (1 + QUERIES) + 1} at most",
)
def follow_up_retrieval(question: Question, run: Run) -> Draft:
    """Two rounds of follow-up queries, each answered from its passages; then the question, with what was found."""
    words, read = words_of(question), given(question)
    found: list[str] = []
    seen: dict[str, Evidence] = {item.id: item for item in read}
    for _ in range(ROUNDS):
        prompt = words["follow_up"].format(
            most=QUERIES, question=question.text, options=listed(question), found="\n".join(found) or "-"
        )
        queries = [query for query in several(prompt, QUERIES, run) if not any(query in line for line in found)]
        if not queries:
            break
        hits = [run.search(query, PASSAGES) for query in queries]
        asked = [
            [Message("user", words["brief"].format(passages=fenced(some), question=query))]
            for query, some in zip(queries, hits, strict=True)
        ]
        answers = replies(asked, Question(text=question.text), run)
        found += [f"{query}: {shorten(one.text, 300)}" for query, one in zip(queries, answers, strict=True)]
        seen |= {item.id: item for some in hits for item in some}
    read = packed(list(seen.values()), question, run)
    return think(question, run, read, before="\n".join(found))
