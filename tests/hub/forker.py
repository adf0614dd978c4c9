"""Runs commands of ``cthub`` in processes of their own without importing the hub anew for each.

Run as ``python -m tests.hub.forker``: a JSON line {"arguments", "environment"} comes in, a child is forked for it, and
a JSON line {"code", "stdout", "stderr"} goes out.
"""

import json
import os
import sys
import tempfile

from hub.__main__ import main


def run(arguments: list[str], environment: dict[str, str]) -> dict[str, object]:
    """Run one command in a child; return its exit code and what it printed."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        child = os.fork()
        if child == 0:
            os.dup2(out.fileno(), 1)
            os.dup2(err.fileno(), 2)
            _become(arguments, environment)
        _, status = os.waitpid(child, 0)
        printed = []
        for file in (out, err):
            file.seek(0)
            printed.append(file.read().decode())
    return {"code": os.waitstatus_to_exitcode(status), "stdout": printed[0], "stderr": printed[1]}


def _become(arguments: list[str], environment: dict[str, str]) -> None:
    """End as ``cthub`` with these arguments would, an unexpected exception and its traceback included."""
    os.environ.update(environment)
    sys.argv = ["cthub", *arguments]
    code: object = 1
    try:
        main()
        code = 0
    except SystemExit as ended:
        code = ended.code
    except BaseException:
        sys.excepthook(*sys.exc_info())
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code if isinstance(code, int) else int(code is not None))


if __name__ == "__main__":
    for line in sys.stdin:
        print(json.dumps(run(**json.loads(line))), flush=True)
