"""Questions about pictures: to the endpoint that is configured and allowed, without text in the pixels, or not at all.

The endpoint is scripted: no vision model can be shipped, and what is tested is what leaves and how an answer is read.
"""

import base64
import io
import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image
from tests.support.endpoint import Peer, chat, serving
from tests.support.pictures import written

from osler.bench.task import GENERATED, Bench
from osler.bench.tasks import find_task
from osler.cli import cli
from osler.errors import EgressBlocked, InputError, MissingComponent
from osler.imaging.burned import find_text
from osler.imaging.pictures import Picture, parse_picture, read_picture
from osler.imaging.questions import ask
from osler.ledger import Ledger
from osler.settings import Settings, load_settings

SAID = {"answer": "A node.", "regions": [{"label": "node", "x": 0.25, "y": 0.5, "width": 0.5, "height": 0.25}]}


def settings_for(peer: Peer) -> Settings:
    return load_settings({"models.vision": f"openai:{peer.url}#seer", "egress.allow": [peer.url]})


def sent_picture(peer: Peer, number: int = -1) -> Picture:
    content = json.loads(peer.received[number])["messages"][-1]["content"]
    assert [part["type"] for part in content] == ["text", "image_url"]
    head, _, data = content[1]["image_url"]["url"].partition(",")
    assert head == "data:image/png;base64"
    return parse_picture(base64.b64decode(data), "sent")


def test_without_a_model_nothing_is_answered(home: Path, dicom: Path) -> None:
    with pytest.raises(MissingComponent, match="no vision model is configured"):
        ask(read_picture(dicom / "CT_small.dcm"), "What is it?", load_settings({}))
    said = CliRunner().invoke(cli, ["imaging", "ask", str(dicom / "CT_small.dcm"), "What is it?"])
    assert isinstance(said.exception, MissingComponent)
    with pytest.raises(InputError, match="only an endpoint"):
        ask(read_picture(dicom / "CT_small.dcm"), "What?", load_settings({"models.vision": "smollm2"}))


def test_an_answer_with_its_regions(home: Path, dicom: Path) -> None:
    with serving(lambda *_: chat(json.dumps(SAID))) as peer:
        settings = settings_for(peer)
        found = ask(read_picture(dicom / "US1_J2KI.dcm"), "What is in the middle?", settings)
    assert found.text == "A node." and found.regions[0][1:] == (160, 240, 320, 120)
    kept = Ledger.open(settings).payload(found.trace)
    assert kept["question"] == "What is in the middle?" and kept["digest"] == found.digest
    assert "image_url" not in json.dumps(kept)
    assert found.masked > 10 and not find_text(sent_picture(peer))


def test_names_in_the_pixels_do_not_leave(home: Path) -> None:
    pixels = np.full((320, 320), 40, np.uint8)
    pixels[written("DOE, JANE 1961-04-02")] = 250
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "PNG")
    with serving(lambda *_: chat("Nothing.")) as peer:
        found = ask(parse_picture(out.getvalue(), "x"), "What?", settings_for(peer))
    assert found.text == "Nothing." and found.regions == [] and found.masked >= 1
    assert sent_picture(peer).frames.max() < 100


def test_nothing_leaves_unless_allowed(home: Path, dicom: Path) -> None:
    settings = load_settings({"models.vision": "openai:https://198.51.100.7/v1#seer"})
    with pytest.raises(EgressBlocked):
        ask(read_picture(dicom / "CT_small.dcm"), "What?", settings)


@pytest.mark.parametrize("regions", [None, "none", [1], [{"label": "a"}], [{**SAID["regions"][0], "x": 7}]])
def test_odd_regions_are_left_out(home: Path, dicom: Path, regions: object) -> None:
    with serving(lambda *_: chat(json.dumps({"answer": "Bone.", "regions": regions}))) as peer:
        found = ask(read_picture(dicom / "MR_small.dcm"), "What?", settings_for(peer))
    assert found.text == "Bone." and found.regions == []


def test_the_bench_shows_pictures_to_a_vision_model(home: Path, shared: Path) -> None:
    with serving(lambda *_: chat("Yes")) as peer:
        settings = settings_for(peer).model_copy(deep=True)
        bench = Bench(settings.model_copy(update={"bench": settings.bench.model_copy(update={"data": str(shared)})}))
        task = find_task("vqa_rad")
        items = list(task.read(shared / "images" / "vqa_rad"))[:4]
        replies = task.ask(items, GENERATED, bench)
    assert [reply.said for reply in replies] == ["yes"] * 4 and len(peer.received) == 4
    assert max(sent_picture(peer, 0).frames.shape) > 200
