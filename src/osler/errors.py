"""The one family of errors. Each says what was wrong, where, and what to do about it.

It does not know how an error is shown: the CLI prints it, the server makes a problem document of it.
"""

from typing import ClassVar


class OslerError(Exception):
    """Base of every error that a user may see. `where` names the file, line or FHIR path; `hint` the remedy."""

    kind: ClassVar[str] = "error"
    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, where: str | None = None, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.where = where
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.where}: {self._said}" if self.where else self._said

    @property
    def _said(self) -> str:
        if not self.hint:
            return self.message
        return f"{self.message}{'' if self.message.endswith(('.', '!', '?', ':')) else '.'} {self.hint}"

    def as_row(self) -> dict[str, str | None]:
        """The `error` object of a batch line (CONTRACTS): kind, message, where."""
        return {"kind": self.kind, "message": self._said, "where": self.where}


class InputError(OslerError):
    """The user's input (file, text, identifier, value) can't be used."""

    kind = "input"


class UsageError(OslerError):
    """The command or call was put together wrongly."""

    kind = "usage"
    exit_code = 2


class MissingComponent(OslerError):
    """A model, data set, server or optional package that is needed isn't there."""

    kind = "missing"
    exit_code = 3


class EndpointError(MissingComponent):
    """A configured remote endpoint failed or answered something that can't be used."""

    kind = "endpoint"


class EgressBlocked(MissingComponent):
    """The egress policy did not let the text leave the machine. Nothing was sent."""

    kind = "egress"


class IntegrityError(OslerError):
    """Stored data does not match its hash, signature or commitment."""

    kind = "integrity"
