"""Who tells of whom, and the age that a caller gives."""

import pytest

from osler.record import read_text
from osler.record.demographics import spoken_for


@pytest.mark.parametrize(
    "text",
    [
        "My husband's been stung by a wasp.",
        "I'm ringing about my mum, she's 82.",
        "Our little one is five weeks old.",
        "我爸五十八，刚才突然胸口疼。",
        "医生你好，孩子发烧两天。",
    ],
)
def test_a_call_about_a_relative(text: str) -> None:
    assert spoken_for(text)


@pytest.mark.parametrize(
    "text",
    [
        "My mother had breast cancer. I have found a lump.",
        "Mother: breast cancer at 40.",
        "Mother of a 3-year-old boy reports fever.",
        "其父亲70岁，子女体健。",
        "母亲患高血压。患者，男，40岁。",
        "54-year-old man, seen with his wife.",
    ],
)
def test_a_relative_who_is_only_mentioned(text: str) -> None:
    assert spoken_for(text) is None


@pytest.mark.parametrize(
    ("text", "age"),
    [
        ("爷爷八十一，咳黄痰四天。", "P81Y"),
        ("儿子八个月，一阵一阵地哭。", "P8M"),
        ("宝宝出生四十天，摸着烫。", "P40D"),
        ("Ten months. Screaming in bouts, jelly-like stool in the nappy.", "P10M"),
        ("Screaming in bouts. Ten months. Jelly-like stool in the nappy.", "P10M"),
        ("Two months, tired and losing weight.", None),
    ],
)
def test_ages_that_callers_give(text: str, age: str | None) -> None:
    assert read_text(text).patient.age == age
