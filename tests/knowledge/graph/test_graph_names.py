"""When two names are the same name."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from osler.knowledge.graph.names import key


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("Haemorrhage", "hemorrhage"),
        ("oedema", "Edema"),
        ("tumours", "tumor"),
        ("anaemias", "anemia"),
        ("Crohn's disease", "Crohn disease"),
        ("Arthritis, Rheumatoid", "rheumatoid arthritis"),
        ("leucopenia", "leukopenia"),
        ("Sjögren syndrome", "Sjogren syndrome"),
        ("ataxia-telangiectasia", "ataxia telangiectasia"),
        ("biopsies", "biopsy"),
    ],
)
def test_same_name(a: str, b: str) -> None:
    assert key(a) == key(b)


@pytest.mark.parametrize(
    ("a", "b"),
    [("type 1 diabetes", "type 2 diabetes"), ("hypotension", "hypertension"), ("pus", "pu"), ("头痛", "偏头痛")],
)
def test_different_names(a: str, b: str) -> None:
    assert key(a) != key(b)


@given(st.lists(st.text("abcdeiorsuxyzAEOS", min_size=1, max_size=12), max_size=6))
def test_key_ignores_case_and_order(words: list[str]) -> None:
    assert key(" ".join(words)) == key(", ".join(reversed(words)).upper())
