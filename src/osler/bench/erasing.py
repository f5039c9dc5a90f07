"""What the bench remembers of a patient where a user's own task asks about one: kept replies that name the patient."""

import os

from osler.models.files import write_atomically
from osler.settings import Settings
from osler.storage import Forgetting, eraser


@eraser("bench")
def erase_replies(settings: Settings, who: Forgetting) -> list[str]:
    """The files and how many of their lines. What is taken out is asked again when its run is."""
    found = []
    for path in sorted((settings.home / "bench").rglob("*.json*")):
        lines = path.read_bytes().splitlines(keepends=True)
        kept = [line for line in lines if not who.concerns(line.decode("utf-8", "replace"))]
        if len(kept) == len(lines):
            continue
        found.append(f"{os.path.relpath(path, settings.home)}: {len(lines) - len(kept)}")
        if not who.only_look:
            write_atomically(path, b"".join(kept)) if path.suffix == ".jsonl" else path.unlink()
    return found
