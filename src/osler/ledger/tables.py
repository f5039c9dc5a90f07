"""The ledger's tables: the chain and, beside it, the payloads, encrypted with keys of the vault; how one is read."""

import zlib
from typing import Any

import sqlalchemy as sa

from osler.errors import IntegrityError
from osler.ledger.chain import commit
from osler.ledger.vault import Vault, keys_table
from osler.storage import metadata

entries_table = sa.Table(
    "ledger_entries",
    metadata,
    sa.Column("seq", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("id", sa.String, nullable=False, unique=True),
    sa.Column("time", sa.String, nullable=False),
    sa.Column("kind", sa.String, nullable=False),
    sa.Column("commitment", sa.String, nullable=False),
    sa.Column("previous", sa.String, nullable=False),
    sa.Column("key", sa.String, nullable=False),
    sa.Column("hash", sa.String, nullable=False),
    sa.Column("signature", sa.String, nullable=False),
)
payloads_table = sa.Table(
    "ledger_payloads",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("key_id", sa.String, nullable=False, index=True),
    sa.Column("blob", sa.LargeBinary, nullable=False),
)
READABLE = sa.func.length(payloads_table.c.blob) > 0
SALT_BYTES = 32
WITH_PAYLOAD = (
    sa.select(entries_table, payloads_table.c.blob, payloads_table.c.key_id, keys_table.c.wrapped)
    .outerjoin(payloads_table, payloads_table.c.id == entries_table.c.id)
    .outerjoin(keys_table, keys_table.c.id == payloads_table.c.key_id)
)


def opened(row: sa.Row[Any], vault: Vault) -> tuple[bytes, bytes] | None:
    """Salt and canonical payload, or None if erased. Raises IntegrityError."""
    if row.blob is None:
        raise IntegrityError("the payload was removed", where=row.id)
    if row.wrapped is None or not row.blob:
        return None
    plain = Vault.decrypt(vault.unwrap(row.key_id, row.wrapped), row.blob, row.id)
    salt, packed = plain[:SALT_BYTES], plain[SALT_BYTES:]
    content = packed if packed.startswith(b"{") else zlib.decompress(packed)
    if commit(content, salt) != row.commitment:
        raise IntegrityError("the payload does not match its commitment", where=row.id)
    return salt, content
