"""What each model may do: a signed sheet of privileges by model digest and task, as hospitals privilege physicians.

Without the privilege for a task the extractive path is used. It does not measure models or record grants in the ledger.
"""

import json
from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from osler.errors import InputError
from osler.ledger import canonical
from osler.ledger.chain import now
from osler.ledger.vault import Vault
from osler.models.files import write_atomically
from osler.nouns import Privilege
from osler.settings import Settings

TASKS = ("answer", "summarise", "report", "patient-facing", "options", "verify", "chinese")


class Calibration(BaseModel):
    """What a model's shares of options are worth on questions of one kind (`reasoning.calibrated`), by what it said to
    `n` questions of `tasks`: divided by `temperature` they are chances, and the options of `least` or more hold the
    right one in the share `promised` of questions like those."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    model: str
    kind: str
    temperature: float = Field(gt=0)
    least: float
    promised: float
    n: int
    tasks: list[str]
    date: str


class Privileges:
    """The sheet of one home. `problems`: why a sheet was ignored, for the user to see."""

    def __init__(self, settings: Settings) -> None:
        self._path = settings.home / "privileges.json"
        self._keys = settings.home / "keys"
        self.problems: list[str] = []
        self.calibrations: dict[tuple[str, str], Calibration] = {}
        self.rows: list[Privilege] = self._read()

    def may(self, digest: str, task: str) -> bool:
        """Whether the newest row for this model and task grants it."""
        return self.why_not(digest, task) is None

    def why_not(self, digest: str, task: str) -> str | None:
        """Why a model may not do a task, in words that follow its name; None if it may."""
        rows = [row for row in self.of(digest) if row.task == task]
        if not rows:
            return f"has no privilege for {task!r} (`osler models admit` measures it)"
        return None if rows[-1].granted else f"was measured on {rows[-1].date[:10]} and not admitted to {task!r}"

    def of(self, digest: str) -> list[Privilege]:
        return [row for row in self.rows if row.model == digest]

    def grant_provisional(self, digest: str, tasks: Sequence[str], by: str, reason: str) -> list[Privilege]:
        """Grant without a measurement, on a named person's word; the new rows, signed and stored.

        Raises InputError for an unknown task or an empty name or reason.
        """
        if not tasks or not by.strip() or not reason.strip():
            raise InputError("a provisional privilege needs a task, the name of who grants it, and a reason")
        about = {"model": digest, "granted": True, "date": now(), "granted_by": by.strip()}
        return self.enter([Privilege(task=task, **about) for task in tasks])

    def enter(self, decided: Sequence[Privilege]) -> list[Privilege]:
        """Sign and store decisions, granted or not; the newest of a model and task holds. InputError: unknown task."""
        if unknown := [row.task for row in decided if row.task not in TASKS]:
            raise InputError(f"unknown task {', '.join(unknown)}", hint=f"Tasks: {', '.join(TASKS)}.")
        vault = Vault(self._keys)
        rows = [row.model_copy(update={"signature": vault.sign(_signed_part(row))}) for row in decided]
        self._add(rows, [])
        return rows

    def calibrate(self, fitted: Sequence[Calibration]) -> None:
        """Sign and store calibrations; the newest of a model and kind holds."""
        self._add([], fitted)

    def _add(self, rows: Sequence[Privilege], fitted: Sequence[Calibration]) -> None:
        import fcntl

        vault = Vault(self._keys)
        with self._path.with_name(".privileges.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # until the file is closed
            # Read again: another process may have granted something since. An ignored sheet is replaced whole.
            self.rows = [*self._read(), *rows]
            self.calibrations |= {(one.model, one.kind): one for one in fitted}
            content = [row.model_dump(mode="json") for row in self.rows]
            sheet: dict[str, Any] = {"privileges": content, "signature": vault.sign(canonical(content))}
            if self.calibrations:
                worth = [one.model_dump(mode="json") for one in self.calibrations.values()]
                sheet |= {"calibrations": worth, "calibrations_signature": vault.sign(canonical(worth))}
            write_atomically(self._path, json.dumps(sheet, indent=1).encode())

    def _read(self) -> list[Privilege]:
        self.problems, self.calibrations = [], {}
        if not self._path.exists():
            return []
        vault = Vault(self._keys)
        try:
            sheet: Any = json.loads(self._path.read_bytes())
            rows = [Privilege.model_validate(row) for row in sheet["privileges"]]
            fitted = [Calibration.model_validate(one) for one in sheet.get("calibrations", [])]
            whole = vault.signed(canonical(sheet["privileges"]), str(sheet["signature"]))
            if fitted:
                whole &= vault.signed(canonical(sheet["calibrations"]), str(sheet["calibrations_signature"]))
        except (OSError, ValueError, KeyError, TypeError, InputError):
            why = "it is damaged"
        else:
            if whole and all(vault.signed(_signed_part(row), row.signature or "") for row in rows):
                self.calibrations = {(one.model, one.kind): one for one in fitted}
                return rows
            why = "its signature does not fit (it was altered, or comes from another home)"
        self.problems = [f"{self._path}: the privilege sheet is ignored because {why}. Grant again what should hold."]
        return []


def _signed_part(row: Privilege) -> bytes:
    return canonical(row.model_dump(mode="json", exclude={"signature"}))
