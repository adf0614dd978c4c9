"""Starts ``python -m MODULE ...`` in real processes of their own without importing the module anew for each.

A server (``python -m tests.forker MODULE``) has imported it once and forks a child for each request; a test keeps one
server for each module. Children die with their server, and the server with the test run.
"""

import array
import atexit
import importlib.util
import json
import os
import runpy
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import IO

from sandbox.__main__ import VENDORS

ROOT = Path(__file__).parents[1]
PRELOADED = {"sandbox": tuple(VENDORS.values())}  # what a module imports late; for any other its __main__


class Forker:
    """The test's end: start a process, wait for its end."""

    def __init__(self, module: str) -> None:
        self._socket, theirs = socket.socketpair()
        command = [sys.executable, "-m", "tests.forker", module, str(theirs.fileno())]
        self._server = subprocess.Popen(command, cwd=ROOT, pass_fds=(theirs.fileno(),))
        theirs.close()
        self._answers = self._socket.makefile("r")
        atexit.register(self.close)

    def start(self, arguments: Sequence[str], environment: Mapping[str, str], out: int | IO[str], err: IO[str]) -> int:
        """Start one process with exactly this environment; return its id."""
        files = [out if isinstance(out, int) else out.fileno(), err.fileno()]
        asked = json.dumps({"arguments": list(arguments), "environment": dict(environment)}) + "\n"
        socket.send_fds(self._socket, [asked.encode()], files)
        return int(self._answers.readline())

    def wait(self, pid: int) -> int:
        """Wait for the end of a process; return its exit code, negative for a signal."""
        self._socket.sendall(json.dumps({"wait": pid}).encode() + b"\n")
        return int(self._answers.readline())

    def close(self) -> None:
        """End the server and every process it started."""
        self._socket.close()
        self._answers.close()
        self._server.wait()


@cache
def forker(module: str) -> Forker:
    """Return the one server of this module."""
    return Forker(module)


def serve(module: str, asking: socket.socket) -> None:
    """Fork and wait as asked, until nobody asks any more."""
    spec = importlib.util.find_spec(module)
    is_package = spec is not None and spec.submodule_search_locations is not None
    for needed in PRELOADED.get(module, (f"{module}.__main__" if is_package else module,)):
        importlib.import_module(needed)
    sys.modules.pop(f"{module}.__main__", None)  # it runs anew in each child
    children: set[int] = set()
    while asked := _read(asking):
        request, files = asked
        if "wait" in request:
            _, status = os.waitpid(request["wait"], 0)
            children.discard(request["wait"])
            answer = os.waitstatus_to_exitcode(status)
        else:
            answer = os.fork()
            if answer == 0:
                asking.close()
                _become(module, request["arguments"], request["environment"], files)
            children.add(answer)
            for file in files:
                os.close(file)
        asking.sendall(f"{answer}\n".encode())
    for child in children:
        os.kill(child, signal.SIGKILL)


def _read(asking: socket.socket) -> tuple[dict[str, object], list[int]] | None:
    """Read one line and the files that came with it."""
    line, files = b"", array.array("i")
    while not line.endswith(b"\n"):
        part, ancillary, _, _ = asking.recvmsg(65_536, socket.CMSG_SPACE(2 * files.itemsize))
        if not part:
            return None
        line += part
        for _, _, data in ancillary:
            files.frombytes(data)
    return json.loads(line), list(files)


def _become(module: str, arguments: Sequence[str], environment: Mapping[str, str], files: Sequence[int]) -> None:
    """End as ``python -m MODULE ARGUMENTS`` would, an unexpected exception and its traceback included."""
    for file, number in zip(files, (1, 2), strict=True):
        os.dup2(file, number)
        os.close(file)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = [module, *arguments]
    code: object = 0
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    except SystemExit as ended:
        code = ended.code
    except BaseException:
        sys.excepthook(*sys.exc_info())
        code = 1
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code if isinstance(code, int) else int(code is not None))


if __name__ == "__main__":
    serve(sys.argv[1], socket.socket(fileno=int(sys.argv[2])))
