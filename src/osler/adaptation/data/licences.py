"""Whether a licence lets a model learn from a text and be given on. It knows common names of licences, no law."""

import re

from osler.errors import InputError

# Licences under which what is learned may be given on, by the beginning of their names (SPDX or as data sets say them).
_OPEN = re.compile(
    r"(?i)^(?:cc0|cc[- ]by(?:[- ]sa)?(?:[- ]\d|\s|;|$)|mit\b|apache|bsd|public domain|unlicense|odc-by|pddl|isc\b"
    r"|reviewers of this home)"
)
_CLOSED = re.compile(
    r"(?i)\bNC\b|non-?commercial|\bND\b|no-?deriv|research (?:use )?only|academic|unstated|unverified|unknown"
)


def permitted(licence: str, where: str, permission: str | None = None) -> str:
    """The licence as it goes into the data sheet. `permission`: why it may be learned from all the same, in the user's
    words. Raises InputError for one that forbids it, or that is not known to allow it."""
    said = licence.strip()
    if permission and permission.strip():
        return f"{said or 'none stated'} (permission: {permission.strip()})"
    hint = "If you have permission say so: --allow-training REASON. It stands in the data sheet."
    if not said:
        raise InputError("no licence is given for this data", where=where, hint="Give --licence, or a manifest.")
    if _CLOSED.search(said) or not _OPEN.search(said):
        raise InputError(f"the licence {said!r} is not known to allow training", where=where, hint=hint)
    return said
