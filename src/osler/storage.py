"""The database behind a home and the leased jobs in it. SQLite by default, PostgreSQL by URL, one code path.

Rooms declare their own tables on `metadata`, and what they keep of patients with `eraser`. It does not know what the
rows mean.
"""

import functools
import json
import os
import re
import socket
import sqlite3
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Literal, NamedTuple

import sqlalchemy as sa
from sqlalchemy.exc import DatabaseError

from osler.errors import IntegrityError, MissingComponent, OslerError
from osler.settings import Settings

metadata = sa.MetaData()
LEASE_SECONDS = 60.0
_LATIN = re.compile(r"[A-Za-z0-9]")

jobs_table = sa.Table(
    "jobs",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("kind", sa.String, nullable=False),
    sa.Column("subject", sa.String, nullable=False),
    sa.Column("spec", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("status", sa.String, nullable=False),
    sa.Column("message", sa.Text),
    sa.Column("done", sa.Integer, nullable=False),
    sa.Column("total", sa.Integer, nullable=False),
    sa.Column("owner", sa.String, nullable=False),
    sa.Column("leased_until", sa.Float, nullable=False),
    sa.Column("started", sa.Float, nullable=False),
    sa.Column("updated", sa.Float, nullable=False),
)


@functools.lru_cache(maxsize=8)
def _engine(url: str) -> sa.Engine:
    engine = sa.create_engine(url)
    if engine.dialect.name == "sqlite":

        @sa.event.listens_for(engine, "connect")
        def configure(connection: Any, _: Any) -> None:
            # The driver's own transaction handling is switched off so that writers can begin immediately.
            connection.isolation_level = None
            # First, so that two processes that open a new database at once wait for each other.
            for pragma in ("busy_timeout=30000", "journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
                connection.execute(f"PRAGMA {pragma}")

        @sa.event.listens_for(engine, "begin")
        def begin(connection: sa.Connection) -> None:
            write = connection.get_execution_options().get("osler_write", False)
            connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")

    return engine


def open_database(settings: Settings) -> sa.Engine:
    """The engine for the home's database with every declared table in place. Raises MissingComponent."""
    url = settings.database_url
    try:
        if url.startswith("sqlite"):
            settings.home.mkdir(parents=True, exist_ok=True, mode=0o700)
        engine = _engine(url)
        # Looking first keeps the usual case free of a write lock, which a long writer may hold.
        missing = set(metadata.tables) - set(sa.inspect(engine).get_table_names())
        if missing:
            with writing(engine) as connection:
                metadata.create_all(connection)
    except DatabaseError as error:
        if "not a database" in str(error.orig) or "malformed" in str(error.orig):
            raise IntegrityError(
                f"the database is damaged: {error.orig}", where=url, hint="Restore it from a backup."
            ) from None
        raise MissingComponent(f"the database can't be opened: {error.orig}", where=url) from None
    except OSError as error:
        raise MissingComponent(f"the home can't be written: {error}", where=str(settings.home)) from None
    return engine


@contextmanager
def writing(engine: sa.Engine) -> Iterator[sa.Connection]:
    """A transaction that holds the write lock from its start: commit at the end, roll back on an exception."""
    with engine.execution_options(osler_write=True).begin() as connection:
        yield connection


class Forgetting(NamedTuple):
    """Whom to forget: all texts that name a patient. `only_look`: say what is held and leave it."""

    names: tuple[str, ...]
    only_look: bool = False

    def concerns(self, text: str) -> bool:
        """Whether a text, plain or written as JSON, names the patient: whole words, in any case and spacing."""
        return _naming(self.names).search(text) is not None


@functools.lru_cache(maxsize=8)
def _naming(names: tuple[str, ...]) -> re.Pattern[str]:
    patterns = []
    for name in {form for given in names for form in (given, json.dumps(given)[1:-1])}:
        inner = r"(?:\s|\\[nrt])+".join(map(re.escape, name.split()))
        before, after = (_LATIN.fullmatch(name[at]) is not None for at in (0, -1))
        patterns.append(before * r"(?:(?<![A-Za-z0-9])|(?<=\\[nrt]))" + inner + after * r"(?![A-Za-z0-9])")
    return re.compile("|".join(patterns) or r"(?!)", re.IGNORECASE)


Eraser = Callable[[Settings, Forgetting], list[str]]
ERASERS: dict[str, Eraser] = {}


def eraser(name: str) -> Callable[[Eraser], Eraser]:
    """Register what destroys all that a room keeps of a patient and says in a list what that was; doing it again finds
    nothing. It stands in a module `erasing` of its room, where the erasure of a home looks for it."""

    def register(function: Eraser) -> Eraser:
        ERASERS[name] = function
        return function

    return register


@eraser("jobs")
def _erase_jobs(settings: Settings, who: Forgetting) -> list[str]:
    engine, texts = open_database(settings), ("subject", "spec", "state", "message")
    with engine.connect() as connection:
        rows = connection.execute(sa.select(jobs_table)).all()
    found = [row.id for row in rows if any(who.concerns(row._mapping[name] or "") for name in texts)]
    if not who.only_look:
        with writing(engine) as connection:
            connection.execute(sa.delete(jobs_table).where(jobs_table.c.id.in_(found)))
    return found


def compact(settings: Settings) -> None:
    """Write the database anew, so that what was deleted is not left in free pages or the write-ahead log. Raises
    MissingComponent where another process holds it."""
    engine = open_database(settings)
    if engine.dialect.name == "sqlite":
        with engine.connect() as connection:
            driver: Any = connection.connection.driver_connection  # itself: no transaction may be open
            driver.execute("PRAGMA busy_timeout=5000")
            try:
                driver.execute("VACUUM")
                busy = driver.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
            except sqlite3.OperationalError:
                busy = 1
            connection.invalidate()  # the next one waits as long as usual
        if busy:
            said = "what was deleted may still lie in the database's file: another process is using it"
            raise MissingComponent(said, where=settings.database_url, hint="Stop it and do the same again.")
    else:
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("VACUUM FULL")


class JobTaken(OslerError):
    """Another live process works on this job."""

    kind = "busy"


class JobCancelled(OslerError):
    """The job was cancelled while it ran; what it finished is kept."""

    kind = "cancelled"


class JobRow(NamedTuple):
    """One job as `osler jobs` shows it. Times are seconds since the epoch."""

    id: str
    kind: str
    subject: str
    status: Literal["running", "done", "failed", "cancelled"]
    done: int
    total: int
    message: str | None
    started: float
    updated: float
    stalled: bool


class Job:
    """A leased job: `progress` renews the lease and keeps `state`, which a successor resumes from."""

    def __init__(self, engine: sa.Engine, id: str, owner: str, state: dict[str, Any]) -> None:
        self._engine, self.id, self._owner, self.state = engine, id, owner, state

    def progress(self, done: int, total: int, state: dict[str, Any] | None = None) -> None:
        """Raises JobCancelled if somebody cancelled it or took it over."""
        if state is not None:
            self.state = state
        changed = self._update(done=done, total=total, state=json.dumps(self.state))
        if not changed:
            raise JobCancelled("the job was cancelled or taken over", where=f"job {self.id}")

    def finish(self, message: str | None = None) -> None:
        self._update(status="done", message=message)

    def fail(self, message: str) -> None:
        self._update(status="failed", message=message)

    def _update(self, **values: Any) -> bool:
        now = time.time()
        mine = (jobs_table.c.id == self.id) & (jobs_table.c.owner == self._owner) & (jobs_table.c.status == "running")
        with writing(self._engine) as connection:
            result = connection.execute(
                sa.update(jobs_table).where(mine).values(updated=now, leased_until=now + LEASE_SECONDS, **values)
            )
        return result.rowcount == 1


class Jobs:
    """The jobs table: long work that survives the process that started it."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def start(self, kind: str, subject: str, spec: dict[str, Any]) -> Job:
        """Begin a job, or take over the unfinished one of the same kind and subject with its `state`.

        A lease holds while its process lives on this host or its time has not run out; then JobTaken is raised.
        """
        owner = f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:8]}"
        now = time.time()
        lease = {"owner": owner, "leased_until": now + LEASE_SECONDS, "updated": now}
        table = jobs_table
        with writing(self._engine) as connection:
            running = connection.execute(
                sa.select(table).where(
                    (table.c.kind == kind) & (table.c.subject == subject) & (table.c.status == "running")
                )
            ).first()
            if running is None:
                identifier = uuid.uuid4().hex[:12]
                row = {"id": identifier, "kind": kind, "subject": subject, "spec": json.dumps(spec), "state": "{}"}
                connection.execute(
                    sa.insert(table).values(**row, **lease, status="running", done=0, total=0, started=now)
                )
                return Job(self._engine, identifier, owner, {})
            if _holds(running.owner, running.leased_until, now):
                raise JobTaken(
                    f"{kind} of {subject} is already running", where=f"job {running.id}", hint="See `osler jobs`."
                )
            connection.execute(sa.update(table).where(table.c.id == running.id).values(**lease))
            return Job(self._engine, running.id, owner, json.loads(running.state))

    def cancel(self, id: str) -> bool:
        """True if the job was running and is now cancelled; its process stops at its next progress report."""
        running = (jobs_table.c.id == id) & (jobs_table.c.status == "running")
        with writing(self._engine) as connection:
            return connection.execute(sa.update(jobs_table).where(running).values(status="cancelled")).rowcount == 1

    def list(self, limit: int = 50) -> list[JobRow]:
        now, stored = time.time(), JobRow._fields[:-1]
        with self._engine.connect() as connection:
            rows = connection.execute(sa.select(jobs_table).order_by(jobs_table.c.started.desc()).limit(limit)).all()
        return [
            JobRow(
                **{name: row._mapping[name] for name in stored},
                stalled=row.status == "running" and not _holds(row.owner, row.leased_until, now),
            )
            for row in rows
        ]


def _holds(owner: str, leased_until: float, now: float) -> bool:
    host, pid, _ = owner.rsplit(":", 2)
    if host == socket.gethostname():
        # On this host the process itself is the better witness: a killed one frees its job at once.
        try:
            os.kill(int(pid), 0)
        except ProcessLookupError:
            return False
        except PermissionError:
            pass
    return now < leased_until
