"""Jobs survive their process: taken over after a kill, refused while alive, cancelled on request."""

import subprocess
import sys
from pathlib import Path

import pytest

from osler.errors import IntegrityError
from osler.settings import load_settings
from osler.storage import JobCancelled, Jobs, JobTaken, open_database

DIES = """
import os
from osler.settings import load_settings
from osler.storage import Jobs, open_database
job = Jobs(open_database(load_settings())).start("ingest", "guidelines", {"paths": ["a"]})
job.progress(3, 10, {"next": 3})
os._exit(9)
"""


@pytest.fixture
def jobs(home: Path) -> Jobs:
    return Jobs(open_database(load_settings()))


def test_job_of_a_dead_process_is_taken_over_with_its_state(jobs: Jobs) -> None:
    assert subprocess.run([sys.executable, "-c", DIES], check=False).returncode == 9
    assert jobs.list()[0].stalled
    job = jobs.start("ingest", "guidelines", {})
    assert job.state == {"next": 3}
    job.progress(10, 10)
    job.finish()
    (row,) = jobs.list()
    assert (row.status, row.done, row.total) == ("done", 10, 10)


def test_live_job_is_not_taken(jobs: Jobs) -> None:
    jobs.start("ingest", "guidelines", {})
    with pytest.raises(JobTaken, match="already running"):
        jobs.start("ingest", "guidelines", {})
    jobs.start("ingest", "other", {})


def test_cancelled_job_stops_at_its_next_report(jobs: Jobs) -> None:
    job = jobs.start("ingest", "guidelines", {})
    assert jobs.cancel(job.id)
    with pytest.raises(JobCancelled):
        job.progress(1, 2)
    assert not jobs.cancel(job.id)


def test_damaged_database_is_named(home: Path) -> None:
    home.mkdir()
    (home / "osler.db").write_bytes(b"not a database at all" * 100)
    with pytest.raises(IntegrityError, match="damaged"):
        open_database(load_settings())
