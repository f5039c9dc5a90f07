"""Replay across versions: what an older version stored must not stop the answer from being made again."""

import base64
from pathlib import Path

from osler.ledger import Ledger
from osler.settings import load_settings
from osler.trust.replay import replay


def test_an_entry_with_settings_of_an_older_version_replays(tmp_path: Path) -> None:
    settings = load_settings({"home": tmp_path / "home", "library.default": "starter"}, environment={})
    parameters = {"safety": {"interactions": ["old.csv"], "crosswalk": None}, "consult": {"language": "en"}, "gone": {}}
    note = base64.b64encode(b"Patient with fever and a stiff neck.").decode()
    given = {"base64": note, "name": "note.txt", "kind": None}
    trace = {"parameters": parameters, "calls": [], "knowledge": {}}
    entry = Ledger.open(settings).append("consult", {"input": given, "output": {}, "trace": trace})
    found = replay(entry.id, settings)
    assert found.notes == ["the setting safety.interactions was ['old.csv'] then and is no longer known"]
    assert not found.same  # the stored output was empty: the difference is told, not an error
