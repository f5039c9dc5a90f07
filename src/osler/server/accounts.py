"""Who may sign in: local accounts with argon2 passwords, and sign-ins kept in the database, so that servers share them.

Of a password and of a sign-in's secret only hashes are kept. It does not know HTTP.
"""

import hashlib
import secrets
import time
from collections.abc import Sequence
from typing import Literal, NamedTuple, get_args

import sqlalchemy as sa
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from osler.errors import InputError
from osler.nouns import Principal
from osler.settings import Settings
from osler.storage import metadata, open_database, writing

Role = Literal["clinician", "educator", "researcher", "privacy-officer", "administrator"]
ROLES: tuple[Role, ...] = get_args(Role)
SHORTEST = 12  # characters of a password (NIST SP 800-63B asks for at least 8, and for length before variety)
LOCAL = Principal(id="local", name="this machine's user", roles=list(ROLES))
_HASHER = PasswordHasher()
_NOBODY = _HASHER.hash(secrets.token_hex(16))  # checked where there is no account, so that the time tells nothing

accounts_table = sa.Table(
    "accounts",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("name", sa.String, nullable=False),
    sa.Column("roles", sa.String, nullable=False),
    sa.Column("password", sa.String),  # null: signs in elsewhere (OIDC)
    sa.Column("disabled", sa.Boolean, nullable=False),
)
sign_ins_table = sa.Table(
    "sign_ins",
    metadata,
    sa.Column("hash", sa.String, primary_key=True),
    sa.Column("account", sa.String, nullable=False, index=True),
    sa.Column("csrf", sa.String),  # null: a program's token, which no browser sends by itself
    sa.Column("until", sa.Float, nullable=False),
)


class SignIn(NamedTuple):
    """`csrf`: what a page's requests must carry, null for a program's token."""

    principal: Principal
    csrf: str | None


class Accounts:
    """The accounts and sign-ins of a home."""

    def __init__(self, settings: Settings) -> None:
        self._engine = open_database(settings)

    def any(self) -> bool:
        """Whether there is an account at all; without one a server admits its own machine's user alone."""
        with self._engine.connect() as connection:
            return connection.execute(sa.select(accounts_table.c.id).limit(1)).first() is not None

    def list(self, disabled: bool = False) -> list[Principal]:
        """The accounts that may sign in, or those that may no more."""
        with self._engine.connect() as connection:
            rows = connection.execute(sa.select(accounts_table).order_by(accounts_table.c.id)).all()
        return [_principal(row) for row in rows if row.disabled == disabled]

    def add(self, id: str, roles: Sequence[str], password: str | None = None, name: str | None = None) -> Principal:
        """Make an account, or change it. Raises InputError for an unknown role or a password that is too short."""
        if unknown := [role for role in roles if role not in ROLES]:
            raise InputError(f"unknown role {unknown[0]}", hint=f"Known: {', '.join(ROLES)}.")
        if not id.strip() or id == LOCAL.id:
            raise InputError(f"an account can't be called {id!r}")
        if password is not None and len(password) < SHORTEST:
            raise InputError(f"a password has at least {SHORTEST} characters")
        row = {"id": id, "name": name or id, "roles": ",".join(roles), "disabled": False}
        if password is not None:
            row["password"] = _HASHER.hash(password)
        with writing(self._engine) as connection:
            there = connection.execute(sa.update(accounts_table).where(accounts_table.c.id == id).values(**row))
            if not there.rowcount:
                connection.execute(sa.insert(accounts_table).values(**row))
        return Principal(id=id, name=name or id, roles=list(roles))

    def known_outside(self, id: str, name: str | None, roles: Sequence[str]) -> Principal | None:
        """The account of somebody another server vouches for, made if there is none: its own roles before those that
        the server says. None for a disabled account or one without a role."""
        with self._engine.connect() as connection:
            row = connection.execute(sa.select(accounts_table).where(accounts_table.c.id == id)).first()
        if row is not None:
            return None if row.disabled or row.password else _principal(row)
        return self.add(id, roles, name=name) if roles else None

    def disable(self, id: str) -> bool:
        """Let an account in no more and end its sign-ins; False if there is none."""
        with writing(self._engine) as connection:
            connection.execute(sa.delete(sign_ins_table).where(sign_ins_table.c.account == id))
            change = sa.update(accounts_table).where(accounts_table.c.id == id).values(disabled=True)
            return connection.execute(change).rowcount == 1

    def check(self, id: str, password: str) -> Principal | None:
        """Whose password this is. It takes as long for an account that isn't there."""
        with self._engine.connect() as connection:
            row = connection.execute(sa.select(accounts_table).where(accounts_table.c.id == id)).first()
        usable = row is not None and not row.disabled and row.password
        try:
            _HASHER.verify(row.password if row is not None and usable else _NOBODY, password)
        except (VerificationError, InvalidHashError):
            return None
        return _principal(row) if row is not None and usable else None

    def sign_in(self, principal: Principal, hours: float, program: bool = False) -> str:
        """The secret of a new sign-in, for a browser's cookie or for a program."""
        secret = secrets.token_urlsafe(32)
        row = {"hash": _hash(secret), "account": principal.id, "until": time.time() + hours * 3600}
        with writing(self._engine) as connection:
            connection.execute(sa.delete(sign_ins_table).where(sign_ins_table.c.until < time.time()))
            csrf = None if program else secrets.token_urlsafe(24)
            connection.execute(sa.insert(sign_ins_table).values(**row, csrf=csrf))
        return secret

    def signed_in(self, secret: str) -> SignIn | None:
        """Whose sign-in this is, if it has not ended."""
        with self._engine.connect() as connection:
            wanted = (sign_ins_table.c.hash == _hash(secret)) & (sign_ins_table.c.until > time.time())
            sign_in = connection.execute(sa.select(sign_ins_table).where(wanted)).first()
            if sign_in is None:
                return None
            if sign_in.account == LOCAL.id:
                return SignIn(LOCAL, sign_in.csrf)
            row = connection.execute(sa.select(accounts_table).where(accounts_table.c.id == sign_in.account)).first()
        return None if row is None or row.disabled else SignIn(_principal(row), sign_in.csrf)

    def sign_out(self, secret: str) -> None:
        self.end(_hash(secret))

    def sign_ins(self) -> Sequence[sa.Row[tuple[object, ...]]]:
        """Those that have not ended, the longest first: `hash`, `account`, `csrf` (null: a program's), `until`."""
        lasting = sa.select(sign_ins_table).where(sign_ins_table.c.until > time.time())
        with self._engine.connect() as connection:
            return connection.execute(lasting.order_by(sign_ins_table.c.until.desc())).all()

    def end(self, hash: str = "", account: str = "") -> int:
        """End a sign-in, or all of an account; how many they were."""
        which = (sign_ins_table.c.hash == hash) | (sign_ins_table.c.account == account)
        with writing(self._engine) as connection:
            return connection.execute(sa.delete(sign_ins_table).where(which)).rowcount


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _principal(row: sa.Row[tuple[object, ...]]) -> Principal:
    return Principal(id=row.id, name=row.name, roles=[role for role in row.roles.split(",") if role])
