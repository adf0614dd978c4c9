"""`python -m sandbox amocrm`: starts the sandbox amoCRM alone."""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from sandbox.amocrm.account import Options
from sandbox.amocrm.app import Sandbox
from sandbox.clock import open_clock
from sandbox.dial import DialRefused
from sandbox.serve import serve


def main(argv: Sequence[str]) -> int:
    """Serves until stopped; a bad option or a taken port is one sentence on stderr and a non-zero code."""
    told = _parser().parse_args(argv)
    options = Options(told.subdomain, told.redirect_uri, told.disable_hook, told.seed, not told.not_installed)
    try:
        sandbox = Sandbox(options, open_clock(told.clock), _switches(told.set))
    except (DialRefused, ValueError) as error:
        print(error, file=sys.stderr)
        return 2
    return serve(sandbox.app, told.host, told.port, sandbox.greeting)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m sandbox amocrm", description=__doc__)
    parser.add_argument("--port", type=int, default=8801, help="port to listen on; 0 takes a free one")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--clock", type=Path, help="file of 8 bytes: the time as a little-endian float64")
    parser.add_argument("--redirect-uri", default=Options().redirect_uri, help="the integration's Redirect URI")
    parser.add_argument("--disable-hook", default="", help="the integration's disable hook URL")
    parser.add_argument("--subdomain", default="romashka", help="the account's subdomain")
    parser.add_argument("--not-installed", action="store_true", help="nobody has installed the integration yet")
    parser.add_argument("--seed", type=int, default=1, help="seed of ids and keys")
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="SWITCH=VALUE",
        help="turns a knob of the dial; repeatable",
    )
    return parser


def _switches(told: Sequence[str]) -> dict[str, object]:
    switches: dict[str, object] = {}
    for one in told:
        name, equals, value = one.partition("=")
        if not equals:
            raise ValueError(f"--set takes SWITCH=VALUE, not {one!r}.")
        try:
            switches[name] = json.loads(value)
        except ValueError:
            switches[name] = value
    return switches
