"""The egress policy: what may leave this machine, to where, and in what form.

Nothing is sent to an address that the settings don't allow; what may go out is de-identified first, and the answer
re-identified on return. Loopback addresses (127.0.0.0/8, ::1, `localhost`) don't leave the machine: they need no
setting and get the text as it is. It sends nothing itself and does not know how identifiers are found.
"""

import ipaddress
import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol
from urllib.parse import unquote, urlsplit

from osler.errors import EgressBlocked, InputError
from osler.settings import Egress

_PORTS = {"http": 80, "https": 443}
# Characters that two URL parsers read differently; an address with one of them is never allowed.
_AMBIGUOUS = re.compile(r"[\\@\s\x00-\x1f\x7f]")


class Deidentifier(Protocol):
    """What the gate needs of a de-identifier (a module or an object)."""

    def mask(self, texts: Sequence[str]) -> tuple[list[str], dict[str, str]]:
        """The texts of one exchange with surrogates, and the mapping from surrogate to original."""
        ...

    def restore(self, text: str, mapping: Mapping[str, str]) -> str: ...


class Address(NamedTuple):
    """The parts of a URL that the policy compares. `path`: its segments."""

    scheme: str
    host: str
    port: int
    path: tuple[str, ...]

    @property
    def loopback(self) -> bool:
        if self.host == "localhost":
            return True
        try:
            ip = ipaddress.ip_address(self.host)
        except ValueError:
            return False
        mapped = ip.ipv4_mapped if isinstance(ip, ipaddress.IPv6Address) else None
        return (mapped or ip).is_loopback


class Cleared(NamedTuple):
    """Texts as they may be sent, in order, and what puts the originals back into the answer."""

    texts: list[str]
    mapping: dict[str, str]


def parse(url: str) -> Address:
    """Raises InputError for anything but a plain http(s) URL: user names, dot segments, queries and the like."""
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").rstrip("."), parts.port
    except ValueError:
        raise InputError("this is not a URL", where=url) from None
    segments = tuple(unquote(segment) for segment in parts.path.split("/") if segment)
    odd = _AMBIGUOUS.search(unquote(url)) or any(segment in (".", "..") or "/" in segment for segment in segments)
    # An empty label (a..b) is no host name; a client would refuse it with an error of its own kind.
    odd = odd or "" in host.split(".")
    if parts.scheme not in _PORTS or odd or parts.query or parts.fragment:
        raise InputError("this is not a plain http:// or https:// address", where=url)
    return Address(parts.scheme, host.lower(), port or _PORTS[parts.scheme], segments)


def allows(prefix: Address, target: Address) -> bool:
    """Same scheme, host and port, and the path below the prefix's, segment by segment."""
    same = prefix[:3] == target[:3]
    return same and target.path[: len(prefix.path)] == prefix.path


class Gate:
    """Stands before every client that sends text. `loopback_exempt=False` treats this machine as any other."""

    def __init__(self, egress: Egress, deidentifier: Deidentifier | None = None, loopback_exempt: bool = True) -> None:
        from osler.privacy import deid

        self._egress = egress
        self._deidentifier: Deidentifier = deidentifier or deid
        self._loopback_exempt = loopback_exempt

    def check(self, url: str) -> bool:
        """Whether text for this address must be de-identified. Raises EgressBlocked if none may be sent at all."""
        target = parse(url)
        if target.loopback and self._loopback_exempt:
            return False
        if not any(allows(_setting(prefix), target) for prefix in self._egress.allow):
            base = f"{target.scheme}://{target.host}:{target.port}"
            raise EgressBlocked(
                "nothing was sent: the settings don't allow text to leave the machine for this address",
                where=url,
                hint=f'To allow it, set `allow = ["{base}"]` under [egress] in osler.toml (or OSLER_EGRESS_ALLOW).',
            )
        return self._egress.deidentify

    def clear(self, url: str, texts: Sequence[str]) -> Cleared:
        """The texts as they may be sent to `url`. Raises EgressBlocked if they may not; nothing has left then."""
        return Cleared(*self._deidentifier.mask(texts)) if self.check(url) else Cleared(list(texts), {})

    def restore(self, text: str, mapping: Mapping[str, str]) -> str:
        """An answer with the originals put back."""
        return self._deidentifier.restore(text, mapping) if mapping else text


class Restorer:
    """Puts originals back into a stream whose pieces may tear a surrogate apart."""

    def __init__(self, gate: Gate, mapping: Mapping[str, str]) -> None:
        self._gate, self._mapping = gate, mapping
        self._longest = max(map(len, mapping), default=0)
        self._held = ""

    def feed(self, piece: str) -> str:
        """What can be shown so far: all but an end that may become a surrogate."""
        text = self._held + piece
        ends = range(max(0, len(text) - self._longest), len(text))
        cut = next((at for at in ends if any(s.startswith(text[at:]) for s in self._mapping)), len(text))
        for surrogate in self._mapping:  # never cut through a whole one
            at = text.rfind(surrogate, max(0, cut - len(surrogate) + 1))
            if 0 <= at < cut < at + len(surrogate):
                cut = at
        self._held = text[cut:]
        return self._gate.restore(text[:cut], self._mapping)

    def flush(self) -> str:
        held, self._held = self._held, ""
        return self._gate.restore(held, self._mapping)


def _setting(prefix: str) -> Address:
    try:
        return parse(prefix)
    except InputError as error:
        raise InputError(error.message, where=f"setting egress.allow, {prefix!r}") from None
