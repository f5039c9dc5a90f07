"""Sentence spans, words and the one split."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from osler.splits import SHARES, fold, split
from osler.text import language_of, numbers, sentences, shorten, words


def _sentences(text: str) -> list[str]:
    return [text[start:end] for start, end in sentences(text)]


def test_sentences() -> None:
    assert _sentences("Seen by Dr. Lee. BP 120/80, T 38.5. Fever? No.\n- cough") == [
        "Seen by Dr. Lee.",
        "BP 120/80, T 38.5.",
        "Fever?",
        "No.",
        "- cough",
    ]
    assert _sentences("患者发热3天。否认胸痛；无咳嗽") == ["患者发热3天。", "否认胸痛；", "无咳嗽"]


def test_wrapped_lines_are_one_sentence() -> None:
    wrapped = "Echocardiography shows mitral valve prolapse; there is no\nmitral regurgitation. Fever: no\ncough: yes"
    assert _sentences(wrapped) == [
        "Echocardiography shows mitral valve prolapse; there is no\nmitral regurgitation.",
        "Fever: no",
        "cough: yes",
    ]


@given(st.text(max_size=200))
def test_sentences_cover_all_that_is_not_space(text: str) -> None:
    spans = sentences(text)
    assert all(a.end <= b.start for a, b in itertools.pairwise(spans))
    kept = "".join(text[start:end] for start, end in spans)
    assert "".join(kept.split()) == "".join(text.split())


def test_words_numbers_language() -> None:
    assert words("Don't give 2.5 mg 发热") == ["don't", "give", "2.5", "mg", "发", "热"]
    assert numbers("K 6.1, 1,200 cells, -3 and p53") == ["6.1", "1,200", "-3"]
    assert language_of("患者 T 38.5") == "zh"
    assert language_of("fever (发热) for three days") == "en"
    assert len(shorten("word " * 50, 20)) <= 20


def test_split_is_stable_and_keeps_its_shares() -> None:
    assert all(sum(shares[:3]) == 100 for shares in SHARES.values())
    parts = [split("pubmedqa_dev", str(i)) for i in range(2000)]
    assert abs(parts.count("train") / 2000 - 0.4) < 0.05
    assert split("context", "no fever") == split("context", "no fever")
    assert {fold("phenopackets_dev", f"MONDO:{i:07d}") for i in range(200)} == {0, 1, 2, 3, 4}
