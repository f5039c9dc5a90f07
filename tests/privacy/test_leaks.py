"""Planted identifiers of many kinds never reach the wire, a log, the terminal or an error; answers come back whole."""

import json
import logging

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from osler.errors import OslerError
from osler.models import Message, Request
from osler.models.endpoint import EndpointModel
from osler.privacy.egress import Gate
from osler.settings import Egress, load_settings
from support.endpoint import Peer, Reply, chat, events, serving

GIVEN = ["Amara", "Juniper", "Zbigniew", "Priyanka", "Declan", "Mei-Ling", "Rosalind", "Tariq"]
FAMILY = ["Okafor", "Holloway", "Kowalczyk", "Deshmukh", "O'Rourke", "Villalobos", "Haddad", "Brandvold"]
DIGITS = st.text("123456789", min_size=9, max_size=9)


@st.composite
def planted(draw: st.DrawFn) -> tuple[str, list[str]]:
    """A sentence of a note and what in it must not leave."""
    first, last, n = draw(st.sampled_from(GIVEN)), draw(st.sampled_from(FAMILY)), draw(DIGITS)
    day, month, year = 10 + int(n[0]), int(n[1]), 1930 + int(n[2:4])
    return draw(
        st.sampled_from(
            [
                (f"Patient: {first} {last}, MRN: {n}.", [first, last, n]),
                (f"Seen by Dr. {first} {last} on {year}-0{month}-{day}.", [first, last, f"{year}-0{month}-{day}"]),
                (f"Call 415-555-{n[:4]} or write to {first.lower()}.{n}@mail.example.", [f"555-{n[:4]}", f"{n}@mail"]),
                (f"SSN 412-{n[:2]}-{n[2:6]}, DOB 0{month}/{day}/{year}.", [f"-{n[2:6]}", f"{day}/{year}"]),
                (f"Lives at {n[:3]} Alder Creek Road. Portal https://portal.example/p/{n}.", ["Alder Creek", n]),
                (f"Server 10.{n[0]}.{n[1]}.{n[2:4]}, account no. {n}.", [f"10.{n[0]}.{n[1]}.{n[2:4]}", n]),
                (f"患者电话138{n[:8]}，住院号：{n}。", [f"138{n[:8]}", n]),
            ]
        )
    )


CLINICAL = st.sampled_from(["", "BP 130/80. ", "Crohn's disease, Foley 16 Fr. ", "Takes 1/2 tablet. ", "血压正常。"])
NOTES = st.lists(st.tuples(CLINICAL, planted()), min_size=1, max_size=4)


def _model(peer: Peer) -> EndpointModel:
    gate = Gate(Egress(allow=(peer.url,)), loopback_exempt=False)
    return EndpointModel(f"openai:{peer.url}#m", load_settings(environment={}), gate=gate)


def _whole(notes: list[tuple[str, tuple[str, list[str]]]]) -> tuple[str, list[str]]:
    return " ".join(c + text for c, (text, _) in notes), [secret for _, (_, some) in notes for secret in some]


def test_nothing_planted_reaches_the_wire_and_answers_return_whole() -> None:
    def echo(_: int, body: dict) -> Reply:
        said = body["messages"][-1]["content"]
        return events(*[said[i : i + 7] for i in range(0, len(said), 7)]) if body.get("stream") else chat(said)

    with serving(echo) as peer:
        model = _model(peer)

        @given(NOTES, st.booleans())
        @settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
        def leaves_nothing(notes: list[tuple[str, tuple[str, list[str]]]], stream: bool) -> None:
            text, secrets = _whole(notes)
            peer.received.clear()
            request = Request(
                messages=[Message("system", "Be brief."), Message("user", text)], max_tokens=9, stop=[text]
            )
            answer = "".join(model.stream(request)) if stream else model.generate([request])[0].text
            sent = json.dumps(json.loads(peer.received[0]), ensure_ascii=False)
            assert [secret for secret in secrets if secret in sent] == []
            # Equal identifiers share a placeholder whatever their case and spacing.
            assert " ".join(answer.split()).casefold() == " ".join(text.split()).casefold()

        leaves_nothing()


@pytest.mark.parametrize("status", [400, 500])
def test_nothing_planted_in_errors_logs_or_the_terminal(
    status: int, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    text = "Patient: Juniper Holloway, MRN: 40618827, phone 415-555-0132."
    with (
        serving(lambda _, body: Reply(status=status, body=json.dumps({"error": {"message": str(body)}}))) as peer,
        caplog.at_level(logging.DEBUG),
    ):
        with pytest.raises(OslerError) as caught:
            _model(peer).generate([Request(messages=[Message("user", text)], max_tokens=5)])
        shown = f"{caught.value} {caught.value.as_row()} {caplog.text} {''.join(capfd.readouterr())}"
    assert peer.received and not any(word in shown for word in ("Juniper", "Holloway", "40618827", "555-0132"))
