"""Passages: sizes, boundaries, offsets, stable ids."""

from typing import NamedTuple

from hypothesis import given
from hypothesis import strategies as st

from osler.knowledge.library.documents import Block, DocumentText, Section, compose
from osler.knowledge.library.passages import SIZE, SLACK, passages_of

SENTENCE = "Patients with gout have swollen joints in the morning. "


class Part(NamedTuple):
    heading: str | None
    text: str
    page: int | None = None


def document(*given: Part, language: str = "en", document_id: str = "d") -> DocumentText:
    blocks = ((Block(part.heading or "", 1), Block(part.text, page=part.page)) for part in given)
    text, sections = compose(block for pair in blocks for block in pair)
    return DocumentText(document_id, "Title", text, sections, language=language)


def test_a_short_section_is_one_passage_and_headings_are_not_crossed() -> None:
    found = passages_of(document(Part("A", SENTENCE * 3), Part("B", SENTENCE * 2)))
    assert [(passage.section, passage.ordinal) for passage in found] == [("A", 0), ("B", 1)]


def test_long_text_is_cut_evenly_at_sentences() -> None:
    made = document(Part(None, SENTENCE * 100))
    found = passages_of(made)
    sizes = [len(passage.text) for passage in found]
    assert len(found) == 6 and min(sizes) > 0.7 * SIZE["en"] and max(sizes) <= SLACK * SIZE["en"]
    assert all(passage.text.endswith("morning.") and passage.text.startswith("Patients") for passage in found)
    assert sum(passage.text.count("gout") for passage in found) == 100


def test_paragraph_ends_are_preferred() -> None:
    paragraph = SENTENCE * 15
    found = passages_of(document(Part(None, "\n\n".join([paragraph.strip()] * 4))))
    assert [len(passage.text) for passage in found] == [len(paragraph) - 1] * 4


def test_chinese_passages_are_shorter() -> None:
    found = passages_of(document(Part(None, "高血压患者首先要注意控制食盐摄入量。" * 100), language="zh"))
    assert all(len(passage.text) <= SLACK * SIZE["zh"] for passage in found)
    assert "".join(passage.text for passage in found).count("。") == 100


def test_text_without_stops_is_cut_at_spaces() -> None:
    found = passages_of(document(Part(None, "word " * 2000)))
    assert all(len(passage.text) <= SLACK * SIZE["en"] for passage in found)
    assert sum(passage.text.count("word") for passage in found) == 2000
    assert passages_of(document(Part(None, "x" * 5000)))[-1].end == 5000


def test_a_passage_over_two_pages_has_the_page_it_starts_on() -> None:
    pages = [Part(None, SENTENCE * 10, page) for page in (1, 2, 3)]
    made = document(*pages)
    found = passages_of(made)
    assert [passage.page for passage in found] == [1, 2]
    assert found[0].start < made.sections[1].start < found[1].start


def test_ids_follow_from_document_and_content_only() -> None:
    one, same = (passages_of(document(Part("A", SENTENCE * 40))) for _ in range(2))
    assert [passage.id for passage in one] == [passage.id for passage in same]
    other = passages_of(document(Part("A", SENTENCE * 40), document_id="e"))
    changed = passages_of(document(Part("A", SENTENCE * 41)))
    ids = {passage.id for found in (one, other, changed) for passage in found}
    assert len(ids) == len(one) + len(other) + len(changed)


@given(st.lists(st.text(alphabet="ab .。\n中x" + "y" * 3, max_size=4000), max_size=4))
def test_offsets_are_slices_in_order_and_nothing_is_lost(texts: list[str]) -> None:
    made = document(*(Part(None, text) for text in texts))
    found = passages_of(made)
    at = 0
    for passage in found:
        assert made.text[passage.start : passage.end] == passage.text and passage.text.strip()
        assert not made.text[at : passage.start].strip()
        at = passage.end
    assert not made.text[at:].strip()


def test_sections_of_a_plain_file_keep_file_offsets() -> None:
    text = "\n\n  First sentence. Second one.\n"
    [passage] = passages_of(DocumentText("d", None, text, (Section(None, 0, len(text)),)))
    assert (passage.start, passage.end) == (4, 31)
