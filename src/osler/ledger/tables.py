"""The ledger's tables: the chain, and beside it the payloads, each encrypted with a key of the vault."""

import sqlalchemy as sa

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
LINK_FIELDS = ("seq", "id", "time", "kind", "commitment", "previous", "key")
