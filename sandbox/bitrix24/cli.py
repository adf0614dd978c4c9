"""`python -m sandbox bitrix24`: starts the sandbox Bitrix24 alone."""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from sandbox.bitrix24.app import Sandbox
from sandbox.bitrix24.model import ALL_SCOPES
from sandbox.bitrix24.portal import Options
from sandbox.clock import open_clock
from sandbox.dial import DialRefused
from sandbox.serve import serve


def main(argv: Sequence[str]) -> int:
    """Serves until stopped; a bad option or a taken port is one sentence on stderr and a non-zero code."""
    told = _parser().parse_args(argv)
    try:
        sandbox = Sandbox(_options(told), open_clock(told.clock), _switches(told.set))
    except (DialRefused, ValueError) as error:
        print(error, file=sys.stderr)
        return 2
    return serve(sandbox.app, told.host, told.port, sandbox.greeting)


def _options(told: argparse.Namespace) -> Options:
    return Options(
        domain=told.domain,
        redirect_uri=told.redirect_uri,
        app_url=told.app_url,
        installer_url=told.installer_url,
        install_event_url=told.install_event_url,
        script_only=told.script_only,
        local=told.local,
        scopes=tuple(one.strip() for one in told.scope.split(",") if one.strip()),
        seed=told.seed,
        installed=not told.not_installed,
    )


def _parser() -> argparse.ArgumentParser:
    plain = Options()
    parser = argparse.ArgumentParser(prog="python -m sandbox bitrix24", description=__doc__)
    parser.add_argument("--port", type=int, default=8802, help="port to listen on; 0 takes a free one")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--clock", type=Path, help="file of 8 bytes: the time as a little-endian float64")
    parser.add_argument("--domain", default="", help="the portal's host as it tells it; else the one that is asked")
    parser.add_argument("--redirect-uri", default=plain.redirect_uri, help="the app's Redirect URI")
    parser.add_argument("--app-url", default=plain.app_url, help="the app's page")
    parser.add_argument("--installer-url", default="", help="the app's installer page; without it there is none")
    parser.add_argument("--install-event-url", default="", help="the app's installation event handler")
    parser.add_argument("--script-only", action="store_true", help="the app has no page")
    parser.add_argument("--local", action="store_true", help="a local app, not one of the market")
    parser.add_argument("--scope", default=",".join(ALL_SCOPES), help="what the app may do, separated by commas")
    parser.add_argument("--not-installed", action="store_true", help="nobody has installed the app yet")
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
