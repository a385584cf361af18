"""A PostgreSQL server of its own for these tests, and Spark, where they are installed."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


def _programs() -> Path | None:
    """The folder of initdb and pg_ctl."""
    found = shutil.which("initdb")
    folders = [Path(found).parent] if found else sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    return next((folder for folder in reversed(folders) if (folder / "initdb").exists()), None)


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The URL of a server: ABCX_TEST_POSTGRES, else one started here."""
    pytest.importorskip("psycopg", reason="psycopg is not installed (make test-engines installs it)")
    if given := os.environ.get("ABCX_TEST_POSTGRES"):
        yield given
        return
    programs = _programs()
    if programs is None:
        pytest.skip("no PostgreSQL server is installed (make test-engines installs one)")
    root = os.geteuid() == 0  # the server refuses to run as root
    folder = Path(tempfile.mkdtemp(prefix="abcx-postgres-"))
    if root:
        shutil.chown(folder, "postgres")
    as_user = ["runuser", "-u", "postgres", "--"] if root else []
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]

    def server(*arguments: str) -> None:
        subprocess.run([*as_user, *arguments], check=True, capture_output=True, cwd="/")

    try:
        server(str(programs / "initdb"), "-D", f"{folder}/data", "-A", "trust", "-U", "postgres", "-E", "UTF8")
        options = f"-p {port} -k {folder} -c fsync=off"
        server(str(programs / "pg_ctl"), "-D", f"{folder}/data", "-o", options, "-l", f"{folder}/log", "-w", "start")
        yield f"postgresql://postgres@127.0.0.1:{port}/postgres"
    finally:
        subprocess.run([*as_user, str(programs / "pg_ctl"), "-D", f"{folder}/data", "-m", "immediate", "stop"], cwd="/")
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def spark() -> str:
    """The name of the engine, where Spark can start."""
    pytest.importorskip("pyspark", reason="PySpark is not installed (make test-engines installs it)")
    if shutil.which("java") is None:
        pytest.skip("no Java is installed (make test-engines installs it)")
    return "spark"
