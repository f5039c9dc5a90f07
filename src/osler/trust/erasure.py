"""Erasure of a patient from the whole home, and of what is older than the retention period, with proof in the ledger.

Rooms register what they keep of patients (`osler.storage.eraser`). It reaches no backups, and nothing that left the
machine.
"""

import base64
import importlib
import importlib.util
import pkgutil
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import osler
from osler.errors import InputError, OslerError
from osler.ledger import Entry, Ledger, digest
from osler.record import read
from osler.settings import Settings
from osler.storage import ERASERS, Forgetting, compact

LEAST = 4  # characters of a name that is searched for outside of the ledger; a shorter one would be found everywhere,
SHORT = 2  # but for one of letters and digits together, or of Chinese characters
# What accounts for the system itself and says nothing of a patient's health; it is kept beyond the retention period.
KEPT = (
    "access", "accessed", "approval", "break-glass", "erasure", "incident", "key rotation", "privilege", "retention",
    "source removed",
)  # fmt: skip


def held(patient: str, settings: Settings, also: tuple[str, ...] = ()) -> dict[str, list[str]]:
    """What the home holds of a patient, by room; the ledger's entries by id."""
    ledger = Ledger.open(settings)
    entries = [entry.id for entry in ledger.of_patient(patient)]
    return {"ledger": entries, **_elsewhere(patient, ledger, settings, also, only_look=True)}


def erase(patient: str, settings: Settings, by: str, reason: str, also: tuple[str, ...] = ()) -> Entry:
    """Erase a patient everywhere. `also`: further texts that name the patient. The entry that proves it.

    The ledger comes last: after a failure on the way the same call finds the patient's names again.
    """
    ledger = Ledger.open(settings)
    elsewhere = _elsewhere(patient, ledger, settings, also, only_look=False)
    entry = ledger.erase(patient, by, reason, elsewhere)
    compact(settings)
    return entry


def expire(settings: Settings, by: str, reason: str) -> Entry:
    """Destroy the content that is older than the retention period. Raises InputError where none is set."""
    if settings.retention.days is None:
        raise InputError("no retention period is set", hint="Set `days` of [retention] in osler.toml.")
    before = datetime.now(UTC) - timedelta(days=settings.retention.days)
    entry = Ledger.open(settings).expire(before.isoformat(timespec="milliseconds"), KEPT, by, reason)
    compact(settings)
    return entry


def _elsewhere(
    patient: str, ledger: Ledger, settings: Settings, also: tuple[str, ...], only_look: bool
) -> dict[str, list[str]]:
    for room in pkgutil.iter_modules(osler.__path__, "osler."):
        if room.ispkg and importlib.util.find_spec(f"{room.name}.erasing"):
            importlib.import_module(f"{room.name}.erasing")
    names = {name.strip() for name in (patient, *also, *_identifiers(patient, ledger)) if _telling(name.strip())}
    who = Forgetting(tuple(sorted(names)), only_look)
    found = {name: erase(settings, who) for name, erase in ERASERS.items()}
    if not only_look:  # what was destroyed may itself bear the patient's name
        found = {
            name: [f"sha256:{digest(one)}" if who.concerns(one) else one for one in what]
            for name, what in found.items()
        }
    return {name: what for name, what in found.items() if what}


def _telling(name: str) -> bool:
    mixed = not name.isascii() or (not name.isalpha() and not name.isdecimal())
    return len(name) >= (SHORT if mixed else LEAST)


def _identifiers(patient: str, ledger: Ledger) -> Iterator[str]:
    """The identifiers in the records that the ledger holds of the patient (a name alone may be another's)."""
    for entry in ledger.of_patient(patient):
        given = ledger.payload(entry.id).get("input", {})
        if isinstance(given, dict) and "base64" in given:
            with suppress(OslerError):  # a reader that has become stricter since
                who = read(base64.b64decode(given["base64"]), name=given["name"], kind=given["kind"]).patient
                yield from (who.id or "", *who.identifiers)
