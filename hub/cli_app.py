"""``cthub app``: is the application ready for a CRM's marketplace?"""

import asyncio
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import httpx
import typer
import yaml
from pydantic import BaseModel, ConfigDict, ValidationError
from rich.console import Console
from rich.table import Table
from rich.text import Text

from connectors.errors import ConnectorError
from connectors.http import Answer, Http
from connectors.publication import Ask, Card, Finding, Looked, Publication, Ruling
from connectors.registry import CONNECTORS
from hub.errors import HubError
from hub.web.words import LANGUAGES, Words

app_cli = typer.Typer(no_args_is_help=True, help="The application in a CRM's marketplace.")
_err = Console(stderr=True, soft_wrap=True)

_TIMEOUT_S = 10.0
_SHOWN = {
    Ruling.KEPT: ("kept", "green"),
    Ruling.BROKEN: ("broken", "red"),
    Ruling.LOOK: ("a person must look", "yellow"),
}
# What our pages say where a setting is missing, by the key of the words.
_UNNAMED = {
    "pages.somebody": "Set HUB_OPERATOR on the hub.",
    "pages.ask_company": "Set HUB_SUPPORT_EMAIL on the hub.",
}


class CardFile(BaseModel):
    """The application's card as an administrator writes it down; pictures are files beside it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = ""
    short_description: str = ""
    tags: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    keywords: str = ""
    icon: str = ""
    screenshots: tuple[str, ...] = ()


@app_cli.command("check")
def check(
    connector: Annotated[str, typer.Argument(help="Name of the connector.")],
    base_url: Annotated[str, typer.Option(help="Where your hub answers, https.")],
    card: Annotated[Path | None, typer.Option(help="File (YAML) of what the marketplace is to show.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON line.")] = False,
) -> None:
    """Say for each rule of the marketplace: kept, broken, or a person must look; exit 1 when one is broken."""
    publication = _publication(connector)
    base, told = _address(base_url), _card(card) if card else None
    answers = asyncio.run(_answers(base, publication.asks))
    findings = publication.check(Looked(CONNECTORS[connector], base, answers, _unnamed(), told))
    broken = sum(one.ruling is Ruling.BROKEN for one in findings)
    if as_json:
        rules = [asdict(one) for one in findings]
        print(
            json.dumps({"connector": connector, "base_url": base, "broken": broken, "rules": rules}, ensure_ascii=False)
        )
    else:
        Console().print(_table(CONNECTORS[connector].manifest.title, findings))
        looks = sum(one.ruling is Ruling.LOOK for one in findings)
        _err.print(Text(f"Broken: {broken}. For a person to look at: {looks}."))
    if broken:
        raise typer.Exit(1)


def _publication(connector: str) -> Publication:
    known = {name: one.publication for name, one in CONNECTORS.items() if one.publication}
    found = known.get(connector)
    if found is None:
        raise HubError(f"There is no checklist of a marketplace for {connector}; there is one for {', '.join(known)}.")
    return found


def _address(base_url: str) -> str:
    """Return the hub's address without a slash at the end."""
    base = base_url.strip().rstrip("/")
    try:
        parts = httpx.URL(base)
        is_address = parts.scheme in ("http", "https") and bool(parts.host)
    except httpx.InvalidURL:
        is_address = False
    if not is_address or parts.userinfo or parts.query or parts.fragment:
        raise HubError(f"{base_url} is not where a hub answers; give an address as in https://hub.example.com.")
    return base


async def _answers(base: str, asks: Iterable[Ask]) -> Mapping[Ask, Answer | ConnectorError]:
    async with Http(allowed=(), origins=(base,)) as http:
        return {ask: await _answer(http, base, ask) for ask in asks}


async def _answer(http: Http, base: str, ask: Ask) -> Answer | ConnectorError:
    try:
        return await http.send(ask.method, f"{base}{ask.path}", timeout=_TIMEOUT_S, reads=ask.method != "POST")
    except ConnectorError as error:
        return error


def _unnamed() -> Mapping[str, str]:
    return {Words(language)(key): to_do for key, to_do in _UNNAMED.items() for language in LANGUAGES}


def _card(file: Path) -> Card:
    try:
        asked = CardFile.model_validate(yaml.safe_load(_read(file)) or {})
    except yaml.YAMLError as error:
        raise HubError(f"{file} is not YAML: {' '.join(str(error).split())}.") from error
    except ValidationError as error:
        problems = (f"{'.'.join(map(str, one['loc'])) or 'the file'}: {one['msg']}" for one in error.errors())
        raise HubError(
            f"{file} cannot be used; {'; '.join(problems)}. Known: {', '.join(CardFile.model_fields)}."
        ) from error
    names = [name for name in (asked.icon, *asked.screenshots) if name]
    return Card(**asked.model_dump(), pictures={name: _read(file.parent / name) for name in names})


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise HubError(f"{file} cannot be read: {error.strerror}.") from error


def _table(title: str, findings: Iterable[Finding]) -> Table:
    table = Table(title=f"Rules of the marketplace of {title}", show_lines=True, expand=True)
    table.add_column("rule", no_wrap=True)
    table.add_column("what it asks", ratio=2, overflow="fold")
    table.add_column("it is", width=8)
    table.add_column("what is there, what to do", ratio=4, overflow="fold")
    for one in findings:
        word, colour = _SHOWN[one.ruling]
        table.add_row(Text(one.rule), Text(one.about), Text(word, style=colour), _told(one))
    return table


def _told(one: Finding) -> Text:
    parts: tuple[Any, ...] = (one.found, f"Allowed: {one.allowed}" if one.allowed else "", one.to_do)
    return Text("\n".join(part for part in parts if part))
