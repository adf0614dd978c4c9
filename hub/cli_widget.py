"""``cthub widget``: the package for a CRM's marketplace, built and checked."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from connectors.packaging import Flaw, PackageAsked, PackageRefused, Packaging
from connectors.protocol import App
from connectors.registry import CONNECTORS
from hub.errors import HubError
from hub.settings import read_settings

widget_cli = typer.Typer(no_args_is_help=True, help="The package for a CRM's marketplace.")
_err = Console(stderr=True, soft_wrap=True)


@widget_cli.command("build")
def build(
    connector: Annotated[str, typer.Argument(help="Name of the connector.")],
    base_url: Annotated[str, typer.Option(help="Where your hub answers, https.")],
    output: Annotated[Path | None, typer.Option(help="File to write; the vendor's name for it when left out.")] = None,
    locale: Annotated[list[str] | None, typer.Option(help="A language of the widget; ru and en when left out.")] = None,
    version: Annotated[str, typer.Option(help="Version of the package; each upload needs a new one.")] = "1.0.0",
    support_link: Annotated[str, typer.Option(help="Where people get help; your hub's /support when left out.")] = "",
    privacy_link: Annotated[str, typer.Option(help="Your privacy policy; your hub's /privacy when left out.")] = "",
) -> None:
    """Write the package and check it by the rules of the marketplace; exit 1 and one line each when it breaks some."""
    packaging = _packaging(connector)
    app = _app(connector)
    asked = PackageAsked(base_url, app, tuple(locale or ("ru", "en")), version, support_link, privacy_link)
    try:
        package = packaging.build(asked)
    except PackageRefused as refused:
        raise HubError(str(refused)) from refused
    flaws = packaging.check(packaging.file_name, package)
    if flaws:
        _show(flaws)
        raise HubError("Nothing was written: the package would not pass moderation.")
    target = output or Path(packaging.file_name)
    _write(target, package)
    print(f"{target}: {len(package):,} bytes, version {version}. It keeps every rule the checker knows.")
    _say_what_is_left(asked, connector)


def _say_what_is_left(asked: PackageAsked, connector: str) -> None:
    base = asked.base_url.rstrip("/")
    links = (asked.support or f"{base}/support", asked.privacy or f"{base}/privacy")
    _err.print(Text(f"A moderator opens these pages, so they must answer: {links[0]} and {links[1]}"))
    settings = read_settings()
    if not (asked.support and asked.privacy) and not (settings.operator and settings.support_email):
        _err.print(Text("They do not say yet who you are: set HUB_OPERATOR and HUB_SUPPORT_EMAIL on the hub."))
    if asked.app is None:
        _err.print(
            Text(
                f"The step that sends a deal as a goal is left out: HUB_APPS names no {connector}, and its secret "
                "makes the step's address. Register the integration, set HUB_APPS and build again."
            )
        )


@widget_cli.command("check")
def check(
    file: Annotated[Path, typer.Argument(help="The package.")],
    connector: Annotated[str, typer.Option(help="Whose rules; the only connector with a package when left out.")] = "",
) -> None:
    """Name every moderation rule a package breaks, one a line, and exit 1; exit 0 when it breaks none."""
    packaging = _packaging(connector or next(iter(_packages())))
    try:
        package = file.read_bytes()
    except OSError as error:
        raise HubError(f"{file} cannot be read: {error.strerror}.") from error
    flaws = packaging.check(file.name, package)
    _show(flaws)
    if flaws:
        raise typer.Exit(1)
    print(f"{file} keeps every rule the checker knows.")


def _packages() -> Mapping[str, Packaging]:
    return {name: one.packaging for name, one in CONNECTORS.items() if one.packaging}


def _packaging(connector: str) -> Packaging:
    found = _packages().get(connector)
    if found is None:
        raise HubError(f"There is no package for {connector}; there is one for {', '.join(_packages())}.")
    return found


def _app(connector: str) -> App | None:
    settings = read_settings()
    registered = settings.apps.get(connector)
    if registered is None:
        return None
    return App(registered.client_id, registered.client_secret.get_secret_value(), settings.public_url)


def _write(target: Path, package: bytes) -> None:
    try:
        target.write_bytes(package)
    except OSError as error:
        raise HubError(f"{target} cannot be written: {error.strerror}.") from error


def _show(flaws: tuple[Flaw, ...]) -> None:
    for flaw in flaws:
        where = f"{flaw.file}:{flaw.line}" if flaw.line else flaw.file
        print(f"{where}: {flaw.what}; allowed: {flaw.allowed}")
