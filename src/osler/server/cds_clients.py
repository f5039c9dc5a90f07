"""Which EHR calls: JSON web tokens signed with a key of the client's, each good once (CDS Hooks 2.0, trusting clients).

Only asymmetric signatures count, by keys from the file or the address that the settings name for the issuer.
"""

import hashlib
import time
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from fastapi import Request
from sqlalchemy.exc import IntegrityError as AlreadyThere

from osler.errors import InputError
from osler.nouns import Principal
from osler.privacy.egress import parse
from osler.server.access import signed_in
from osler.server.problems import Refused
from osler.settings import CdsClient, Settings
from osler.storage import metadata, open_database, writing

ALGORITHMS = ("ES384", "RS384", "ES256", "RS256")
OPTIONS: Any = {"require": ["iss", "aud", "exp", "iat", "jti"], "enforce_minimum_key_length": True}
LEEWAY = 30  # seconds that two clocks may differ

seen_table = sa.Table(
    "cds_tokens",
    metadata,
    sa.Column("hash", sa.String, primary_key=True),
    sa.Column("until", sa.Float, nullable=False, index=True),
)


class Clients:
    """The clients that the settings trust, by issuer. Raises InputError for one whose keys have no safe place."""

    def __init__(self, settings: Settings) -> None:
        from jwt import PyJWKClient

        self._engine = open_database(settings)
        self.known = {client.issuer: client for client in settings.cds.clients}
        for one in self.known.values():
            if one.jku and not ((place := parse(one.jku)).scheme == "https" or place.loopback):
                raise InputError("keys are read over https", where=f"setting cds.clients, {one.issuer}")
            if not (one.jku or one.keys):
                raise InputError("give `keys` or `jku`", where=f"setting cds.clients, {one.issuer}")
        self._sets = {
            one.jku: PyJWKClient(one.jku, timeout=settings.cds.timeout) for one in self.known.values() if one.jku
        }

    def check(self, token: str, audience: list[str]) -> Principal:
        """Whose token this is, which is used up by that. Raises Refused."""
        import jwt

        try:
            header = jwt.get_unverified_header(token)
            issuer = jwt.decode(token, options={"verify_signature": False}).get("iss")
            client = self.known.get(issuer) if isinstance(issuer, str) else None
            if client is None:
                raise jwt.InvalidIssuerError("its issuer is not one that the settings trust")
            key, algorithm = self._key(client, header), header["alg"]
            said = jwt.decode(token, key, [algorithm], OPTIONS, audience=audience, issuer=issuer, leeway=LEEWAY)
            if not self._first(f"{client.issuer}\n{said['jti']}", float(said["exp"])):
                raise jwt.InvalidTokenError("its jti was used before")
        except (jwt.PyJWTError, OSError, ValueError, TypeError, OverflowError, RecursionError) as error:
            why = str(error) if isinstance(error, jwt.PyJWTError) else "it or the issuer's keys can't be read"
            headers = {"WWW-Authenticate": 'Bearer error="invalid_token"'}
            raise Refused(401, f"the client's token is not valid: {why}", "Authorization", headers) from None
        return Principal(id=client.issuer, name=client.issuer, roles=["clinician"])

    def _key(self, client: CdsClient, header: dict[str, Any]) -> Any:
        """The public key that a token's header names, of those that the settings trust for its issuer."""
        import jwt

        if header.get("alg") not in ALGORITHMS or header.get("typ") != "JWT":
            raise jwt.InvalidAlgorithmError(f"typ is JWT and alg one of {', '.join(ALGORITHMS)}")
        if header.get("jku", client.jku) != client.jku:
            raise jwt.InvalidTokenError("its jku is not the one that the settings trust")
        if client.jku:
            return self._sets[client.jku].get_signing_key(header.get("kid", "")).key
        held = jwt.PyJWKSet.from_json(Path(client.keys or "").expanduser().read_text(encoding="utf-8")).keys
        found = [key for key in held if key.key_id == header.get("kid") and key.public_key_use in ("sig", None)]
        if not (found and header.get("kid")):
            raise jwt.InvalidKeyError("the issuer has no such key")
        return found[0].key

    def _first(self, name: str, until: float) -> bool:
        """Whether a token is seen for the first time; it is remembered until it ends."""
        row = {"hash": hashlib.sha256(name.encode("utf-8", "replace")).hexdigest(), "until": until + LEEWAY}
        try:
            with writing(self._engine) as connection:
                connection.execute(sa.delete(seen_table).where(seen_table.c.until < time.time()))
                connection.execute(sa.insert(seen_table).values(**row))
        except AlreadyThere:
            return False
        return True


def caller(request: Request) -> Principal:
    """A dependency: which client calls, by its own signed token, or by what opens the server's other doors."""
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    clients: Clients = request.app.state.clients
    if clients.known and scheme.lower() == "bearer" and given.count(".") == 2:
        here = f"{base_of(request)}{request.url.path}"
        return clients.check(given.strip(), [here, here.removesuffix("/feedback")])
    who = signed_in(request)
    if "clinician" not in who.roles:
        raise Refused(403, "this needs the role clinician")
    return who


def base_of(request: Request) -> str:
    """The address that clients know this server by."""
    settings: Settings = request.app.state.desk.settings
    return (settings.cds.url or str(request.base_url)).rstrip("/")
