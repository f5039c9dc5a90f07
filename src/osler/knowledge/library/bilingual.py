"""The names that the concepts of a question have in the other language, so that words find passages in both.

It knows only what the graph's labels know; vectors reach further.
"""

from osler.text import has_chinese

READ = 1000  # code points of a question


def other_names(question: str) -> str:
    """Chinese labels for the phenotypes, diseases and drugs of an English question, English ones for a Chinese one."""
    from osler.knowledge.concepts.recogniser import load_recogniser
    from osler.knowledge.graph import load_graph

    graph = load_graph()
    chinese = has_chinese(question)
    names = (
        graph.label(mention.code, "en" if chinese else "zh")
        for mention in load_recogniser().mentions(question[:READ])
        if graph.position(mention.code) is not None
    )
    return " ".join(dict.fromkeys(name for name in names if has_chinese(name) != chinese))
