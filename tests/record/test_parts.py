"""Times and ages, merging, and text out of markup and attachments."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from osler.record.case import Code, Observation
from osler.record.fhir_documents import attachment_text, strip_markup
from osler.record.merge import merge
from osler.record.omissions import Omissions
from osler.record.times import age_at, days_of, moment, newest, reference_time


@pytest.mark.parametrize(
    "text",
    [
        "2016-02-30",
        "2016-13-01",
        "last week",
        "20160101",
        "2016-01-01T25:00:00Z",
        "2016-01-01T10:00:75Z",
        "0000",
        "",
        "2016-1-1",
    ],
)
def test_what_is_no_time(text: str) -> None:
    assert moment(text) is None


def test_zones_are_compared_not_spelled() -> None:
    assert newest(["2020-01-01T23:00:00-05:00", "2020-01-02T03:00:00Z"]) == "2020-01-01T23:00:00-05:00"
    assert newest(["2020", "2020-01-01", "nonsense"]) == "2020"
    assert newest(["2016-12-31T23:59:60Z", "2016-12-31T23:59:58.25Z"]) == "2016-12-31T23:59:60Z"
    assert newest([]) is None
    assert moment("0001-01-01T00:00:00+14:00") is None


@pytest.mark.parametrize(
    ("birth", "reference", "age", "doubtful"),
    [
        ("1980-05-17", "2020-05-16T10:00:00Z", "P39Y", False),
        ("1980-05-17", "2020-05-17", "P40Y", False),
        ("2020-01-01", "2020-01-22", "P21D", False),
        ("2020-01-01", "2021-03-15", "P1Y2M", False),
        ("2020-01-31", "2020-03-30", "P59D", False),
        ("1980", "2020-05-16", "P40Y", True),
        ("2021-01-01", "2020-01-01", None, True),
        ("1780-01-01", "2020-01-01", None, True),
    ],
)
def test_age(birth: str, reference: str, age: str | None, doubtful: bool) -> None:
    found, doubt = age_at(birth, reference)
    assert found == age and bool(doubt) == doubtful


def test_lengths_of_durations() -> None:
    assert (
        days_of("P3W") == 21 and days_of("P1Y") == pytest.approx(365.2425) and days_of("P2M") == pytest.approx(60.87375)
    )
    assert [days_of(text) for text in ("P", "3 weeks", "P1H", "PT")] == [None] * 4


observations = st.builds(
    Observation,
    source=st.sampled_from(["a", "b", "c", "d", "e"]),
    label=st.sampled_from(["K", "Na"]),
    codes=st.lists(st.builds(Code, code=st.sampled_from(["1", "2"])), max_size=1),
    value=st.sampled_from([None, 0.0, 5.9]),
    interpretation=st.sampled_from([None, "H", "N"]),
    low=st.sampled_from([None, 0.0, 3.5]),
)


@given(st.lists(observations, max_size=12))
def test_merging_twice_is_merging_once(parts: list[Observation]) -> None:
    once = merge(parts)
    assert merge(once) == once
    places = lambda some: {place for one in some for place in (one.source, *one.duplicates)}  # noqa: E731
    assert places(once) == places(parts)


def test_merging_fills_gaps_and_keeps_conflicts() -> None:
    part = Observation(source="a", label="K", value=5.9)
    low, other = (
        part.model_copy(update={"source": "b", "low": 0.0}),
        part.model_copy(update={"source": "c", "low": 3.5}),
    )
    assert merge([part, low, other]) == [low.model_copy(update={"source": "a", "duplicates": ["b"]}), other]


def test_markup_is_stripped_to_lines() -> None:
    cells = "<table><tr><td>x</td><td>y</td></tr></table>"
    hidden = "<style>p{}</style><script>alert(1)</script>"
    assert strip_markup(f"<div>A<br/>B &lt;3{cells}{hidden}\n z</div>") == "A\nB <3\nx y\nz"


@given(
    st.lists(
        st.sampled_from(["<", ">", "<!", "<![", "<![CDATA[", "]]>", "</", "<p", "&#x", "--", " a", "DOCTYPE", "["])
        | st.text()
    )
)
def test_any_markup_can_be_stripped(pieces: list[str]) -> None:
    text = strip_markup("".join(pieces))
    assert all(line and line == " ".join(line.split()) for line in text.split("\n")) or not text


def test_long_broken_markup_does_not_hang() -> None:
    for piece in ("<script", '<a "', "<a '", "<!--", "<![CDATA[", "<", "<?", "<!doctype", "<p x="):
        strip_markup(piece * 20_000)


def test_marked_sections_keep_their_text() -> None:
    assert strip_markup("<p>a <![CDATA[b < c]]> d <![foo[e]]></p>") == "a b < c d <![foo[e]]>"


def test_attachments_that_are_no_text() -> None:
    def packed(data: bytes) -> str:
        return base64.b64encode(data).decode()

    assert attachment_text(packed("发热".encode("gb18030")), "text/plain; charset=gb18030") == ("发热", None)
    assert attachment_text(packed("患者发热三天".encode("gb18030")), "text/plain") == ("患者发热三天", None)
    assert attachment_text(packed(b"<b>x</b>"), "text/html")[0] == "x"
    for data, kind, reason in (
        (packed(b"x"), "application/pdf", "application/pdf"),
        ("not base64!", "text/plain", "base64"),
        (packed(b"\xff\xfe\xfa"), "text/plain", "UTF-16"),
        (packed(b"caf\xe9"), "text/plain", "byte 0xe9 at offset 3"),
        (packed(b" \n"), "text/plain", "empty"),
        (packed(b"a\x00b"), "text/plain", "binary"),
        (packed(b"x"), "text/plain; charset=klingon", "klingon"),
        (packed(b"x"), "text/plain; charset=undefined", "undefined"),
    ):
        text, why = attachment_text(data, kind)
        assert text is None and why is not None and reason in why


def test_the_reference_time_is_never_later_than_now() -> None:
    omissions = Omissions()
    assert reference_time([("a", "2020-01-01"), ("b", "2999-01-01"), ("c", None)], omissions) == "2020-01-01"
    assert [row.path for row in omissions.rows()] == ["b"]
    assert reference_time([("b", "2999")], Omissions()) is None
