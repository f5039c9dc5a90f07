"""Nothing leaves to an address that isn't allowed; what may leave is de-identified and comes back whole."""

import string
from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from osler.errors import EgressBlocked, InputError, OslerError
from osler.models import Message, Request
from osler.models.endpoint import EndpointModel
from osler.privacy.egress import Gate, Restorer, allows, parse
from osler.settings import Egress, load_settings
from support.endpoint import Peer, chat, events, serving

PLANTED = "Zbigniew Planted-Name MRN 84772219"


class Swap:
    """A de-identifier whose surrogates look like any other text, and one begins like another."""

    def mask(self, texts: Sequence[str]) -> tuple[list[str], dict[str, str]]:
        mapping = {"Ann Example": "Zbigniew Planted-Name", "Ann Example-Two": "MRN 84772219"}
        masked = list(texts)
        for surrogate, original in mapping.items():
            masked = [text.replace(original, surrogate) for text in masked]
        return masked, mapping

    def restore(self, text: str, mapping: Mapping[str, str]) -> str:
        for surrogate in sorted(mapping, key=len, reverse=True):
            text = text.replace(surrogate, mapping[surrogate])
        return text


def _gate(allow: tuple[str, ...] = (), deidentify: bool = True) -> Gate:
    return Gate(Egress(allow=allow, deidentify=deidentify), Swap(), loopback_exempt=False)


def _model(peer: Peer, gate: Gate) -> EndpointModel:
    return EndpointModel(f"openai:{peer.url}#m", load_settings(environment={}), gate=gate)


def _ask(text: str, **more: object) -> Request:
    return Request(messages=[Message("system", "Be brief."), Message("user", text)], max_tokens=5, **more)


@pytest.mark.parametrize(
    ("prefix", "url", "allowed"),
    [
        ("https://a.example", "https://a.example/v1/chat/completions", True),
        ("https://a.example/", "https://A.Example.:443/v1", True),
        ("https://a.example/v1", "https://a.example/v1", True),
        ("https://a.example:8443", "https://a.example:8443/x", True),
        ("https://a.example", "https://a.example.evil/v1", False),
        ("https://a.example", "https://evil/a.example", False),
        ("https://a.example", "http://a.example/v1", False),
        ("https://a.example", "https://a.example:8443/v1", False),
        ("https://a.example/v1", "https://a.example/v10", False),
        ("https://a.example/v1", "https://a.example/", False),
        ("https://a.example", "https://b.a.example/", False),
    ],
)
def test_prefix_is_compared_part_by_part(prefix: str, url: str, allowed: bool) -> None:
    assert allows(parse(prefix), parse(url)) is allowed


@pytest.mark.parametrize(
    "url",
    [
        "https://a.example@evil.example/",
        "https://a.example\\@evil.example/",
        "https://a.example/v1/../v2",
        "https://a.example/v1/%2e%2e/v2",
        "https://a.example/v1%2f..%2fv2",
        "https://a.example/v1?next=x",
        "ftp://a.example/",
        "file:///etc/hosts",
        "a.example",
        "https://",
        "https://a.example:port/",
        "https://a.exa mple/",
    ],
)
def test_doubtful_addresses_are_refused(url: str) -> None:
    with pytest.raises(InputError):
        Gate(Egress(allow=("https://a.example",))).clear(url, [PLANTED])


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "localhost", "[::1]", "[::ffff:127.0.0.1]"])
def test_loopback_needs_no_setting_and_is_sent_as_it_is(host: str) -> None:
    assert Gate(Egress()).clear(f"http://{host}:8000/v1", [PLANTED]) == ([PLANTED], {})


@pytest.mark.parametrize("host", ["127.1", "0x7f000001", "localhost.evil.example", "0.0.0.0", "10.0.0.1", "[::2]"])
def test_what_only_looks_like_loopback_is_blocked(host: str) -> None:
    with pytest.raises(EgressBlocked, match="egress"):
        Gate(Egress()).clear(f"http://{host}:8000/v1", [PLANTED])


def test_block_names_the_setting_that_allows() -> None:
    with pytest.raises(EgressBlocked) as caught:
        Gate(Egress()).check("https://llm.hospital.example/v1")
    assert "[egress]" in str(caught.value) and '"https://llm.hospital.example:443"' in str(caught.value)
    Gate(Egress(allow=("https://llm.hospital.example:443",))).check("https://llm.hospital.example/v1")


def test_bad_prefix_in_the_settings_is_named() -> None:
    with pytest.raises(InputError, match=r"egress\.allow, 'a\.example'"):
        Gate(Egress(allow=("a.example",))).check("https://a.example/v1")


ALLOWS = st.lists(
    st.text(string.ascii_lowercase + ".:/-0123456789", max_size=25).map(lambda s: f"http://{s}")
    | st.sampled_from(["http://127.0.0.1", "http://127.0.0.1:1", "https://127.0.0.1", "http://127.0.0.1.evil"]),
    max_size=3,
)


def test_blocked_text_never_reaches_the_wire() -> None:
    with serving(lambda *_: chat("ok")) as peer:
        model = _model(peer, _gate())

        @given(ALLOWS, st.text(max_size=30), st.booleans(), st.booleans())
        @settings(max_examples=60, deadline=None)
        def blocked(allow: list[str], around: str, deidentify: bool, stream: bool) -> None:
            model._gate = _gate(tuple(allow), deidentify)  # a new client for each example takes long
            request = _ask(f"{around}{PLANTED}", stop=[PLANTED], json_schema={"const": PLANTED})
            with pytest.raises(OslerError):
                list(model.stream(request)) if stream else model.generate([request])

        blocked()
        assert peer.received == []


@pytest.mark.parametrize("stream", [False, True])
def test_allowed_text_goes_out_masked_and_returns_restored(stream: bool) -> None:
    torn = ["Hello An", "n Exa", "mple", " and Ann Example", "-T", "wo! Ann"]
    reply = events(*torn) if stream else chat("".join(torn))
    with serving(lambda *_: reply) as peer:
        model = _model(peer, _gate((peer.url,)))
        schema = {"enum": [PLANTED]} if not stream else None
        request = _ask(f"I am {PLANTED}.", stop=[PLANTED], json_schema=schema)
        pieces = list(model.stream(request)) if stream else [model.generate([request])[0].text]
        assert "".join(pieces) == "Hello Zbigniew Planted-Name and MRN 84772219! Ann"
        assert b"Planted" not in peer.received[0] and b"84772219" not in peer.received[0]
        assert b"I am Ann Example" in peer.received[0]


def test_originals_are_escaped_inside_json() -> None:
    class Quote(Swap):
        def mask(self, texts: Sequence[str]) -> tuple[list[str], dict[str, str]]:
            return [text.replace('Jo "J" Doe', "[NAME_1]") for text in texts], {"[NAME_1]": 'Jo "J" Doe'}

    with serving(lambda *_: chat('{"name": "[NAME_1]"}')) as peer:
        model = _model(peer, Gate(Egress(allow=(peer.url,)), Quote(), loopback_exempt=False))
        text = model.generate([_ask('Jo "J" Doe', json_schema={"type": "object"})])[0].text
    assert text == '{"name": "Jo \\"J\\" Doe"}'


def test_deidentification_can_be_switched_off_for_an_allowed_address() -> None:
    with serving(lambda *_: chat("ok")) as peer:
        _model(peer, _gate((peer.url,), deidentify=False)).generate([_ask(PLANTED)])
        assert PLANTED.encode() in peer.received[0]


def test_product_deidentifier_stands_behind_the_gate() -> None:
    gate = Gate(Egress(allow=("https://a.example",)))
    cleared = gate.clear("https://a.example/v1", ["Call Mr. John Smith at 555-123-4567, MRN: 84772219."])
    assert "84772219" not in cleared.texts[0] and "555-123-4567" not in cleared.texts[0]
    assert "84772219" in gate.restore(cleared.texts[0], cleared.mapping)


@given(st.lists(st.sampled_from(["a", "b", "ab", "aba", "x", "2001-01-20", "20"]), max_size=30), st.data())
@settings(max_examples=200, deadline=None)
def test_stream_is_restored_as_the_whole_text_would_be(parts: list[str], data: st.DataObject) -> None:
    text = "".join(parts)
    mapping = {"2001-01-20": "<date>", "[NAME_1]": "<name>"}
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=10)))
    gate = Gate(Egress(), Swap())
    restorer = Restorer(gate, mapping)
    shown = [restorer.feed(text[a:b]) for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    assert "".join([*shown, restorer.flush()]) == gate.restore(text, mapping)


@pytest.mark.parametrize("url", ["http://a..b/v1", "http://.a/v1", "http:///v1"])
def test_host_without_a_name_is_refused_as_input(url: str) -> None:
    with pytest.raises(InputError, match="plain http"):
        parse(url)
