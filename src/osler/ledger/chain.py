"""The tamper-evident chain as pure functions: canonical JSON, salted commitments, entry hashes.

RFC 8785 canonical JSON and SHA-256. It knows neither keys nor storage.
"""

import hashlib
import hmac
import os
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import orjson
import rfc8785

from osler.errors import InputError
from osler.nouns import Noun

GENESIS = "0" * 64
LINK_FIELDS = ("seq", "id", "time", "kind", "commitment", "previous", "key")
_ALPHABET = b"0123456789abcdefghjkmnpqrstvwxyz" * 8


class Entry(Noun):
    """One link. `commitment`: salted hash of the payload; `hash`: over all fields but itself and the signature, which
    is of the hash; empty within a batch, whose last signature holds for all of it, as the hashes are chained."""

    seq: int
    id: str
    time: str
    kind: str
    commitment: str
    previous: str
    key: str
    hash: str
    signature: str


def canonical(value: Any) -> bytes:
    """RFC 8785 bytes of a JSON value. Raises InputError for what JSON can't carry (NaN, integers over 2^53)."""
    try:
        if _simple(value):
            with suppress(TypeError):  # too deep for the fast writer, or half a surrogate pair
                return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
        return rfc8785.dumps(value)
    except (rfc8785.CanonicalizationError, UnicodeEncodeError, RecursionError) as error:
        raise InputError(f"the payload can't be written as canonical JSON: {error}") from None


def _simple(value: Any) -> bool:
    """Whether the fast writer gives the same bytes: keys in ASCII (their order), no fractions, no large numbers."""
    kind = type(value)
    if kind is dict:
        if not all(type(key) is str and key.isascii() for key in value):
            return False
        value, kind = value.values(), list
    if kind is list:
        return all(type(inner) is str or _simple(inner) for inner in value)
    return kind is str or kind is bool or value is None or (kind is int and -(2**53) < value < 2**53)


def digest(value: Any) -> str:
    """SHA-256 of the canonical form, hexadecimal."""
    return hashlib.sha256(canonical(value)).hexdigest()


def commit(payload: bytes, salt: bytes) -> str:
    """HMAC-SHA-256 keyed by the salt: hides the payload while the salt is secret, binds it once it is shown."""
    return hmac.digest(salt, payload, hashlib.sha256).hex()


def entry_hash(seq: int, id: str, time: str, kind: str, commitment: str, previous: str, key: str) -> str:
    link = {"seq": seq, "id": id, "time": time, "kind": kind, "commitment": commitment, "previous": previous}
    return hashlib.sha256(orjson.dumps({**link, "key": key}, option=orjson.OPT_SORT_KEYS)).hexdigest()


def new_id(prefix: str, day: str | None = None) -> str:
    """A readable identifier such as `c-20261122-7k2m9qfx`: kind, day, forty random bits."""
    return f"{prefix}-{day or datetime.now(UTC).strftime('%Y%m%d')}-{os.urandom(8).translate(_ALPHABET).decode()}"


def now() -> str:
    """ISO 8601 with offset, milliseconds."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")
