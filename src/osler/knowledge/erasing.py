"""What libraries hold of a patient: documents that name the patient go, and the table is made anew without them.

Deleting alone would leave them in old versions, deletion vectors and the words of the indexes.
"""

from osler.knowledge.folders import locked
from osler.knowledge.library.store import CARD, Store
from osler.settings import Settings
from osler.storage import Forgetting, eraser


@eraser("libraries")
def erase_documents(settings: Settings, who: Forgetting) -> list[str]:
    """The documents, as `library/document`. The starter and the bench's libraries are of public texts."""
    found = []
    for card in sorted((settings.home / "library").glob(f"[!.]*/{CARD}")):
        store = Store(card.parent)
        if "pack" in store.card:
            continue
        rows = store.rows(["document_id", "shown"])
        texts = zip(rows["document_id"].to_pylist(), rows["shown"].to_pylist(), strict=True)
        theirs = {name for name, shown in texts if who.concerns(name) or who.concerns(shown.decode("utf-8", "replace"))}
        if theirs and not who.only_look:
            with locked(card.parent, wait=True):
                store.remake_without(theirs)
        found += [f"{store.card['name']}/{name}" for name in sorted(theirs)]
    return found
