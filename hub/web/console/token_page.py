"""Connecting an account by a token, or a secret address, that a person pastes: where to get it, what became of it."""

from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import NoReturn

from starlette.responses import RedirectResponse, Response

from connectors.errors import ConnectorError
from connectors.protocol import App, Connector, Facts, Grant, InstallationError
from connectors.telling import Given, NotTaken
from hub.beside import Beside
from hub.store import crm
from hub.store.market import Account
from hub.web import connecting, telling
from hub.web.console.page import NotHere, form, page
from hub.web.console.session import form_of
from hub.web.console.shell import Desk, complain, render

_CAP = 10_000  # characters of one field


class No(Exception):
    """What was typed cannot be used; its text says why and what to do, in the reader's language."""


@page
async def show(desk: Desk) -> Response:
    """Show the form."""
    connector, _ = _known(desk)
    return _form(desk, connector, {})


@form
async def take(desk: Desk) -> Response:
    """Connect the account whose token was pasted; what cannot be used is said above the form."""
    connector, app = _known(desk)
    told = {key: str(text)[:_CAP] for key, text in (await form_of(desk.request)).items()}
    try:
        given = Given(told.get("host", ""), told.get("token", ""), _until(desk, told.get("until", "")))
        grant, facts, beside = await _ask(desk, connector, app, given)
    except No as no:
        return _form(desk, connector, told, str(no))
    assert desk.who is not None
    hub, of = desk.hub, Account(connector.manifest.name, grant.account, app.client_id)
    try:
        await hub.db.write(connecting.install, desk.tenant_id, of, grant, facts, beside.spent, hub, desk.who.person_id)
    except crm.AccountTaken:
        return await complain(desk.request, 409, "error.connect.taken")
    except crm.AccountThere:
        return _form(desk, connector, told, desk.word(connector, "token.there"))
    hub.round_trips.keep(of.connector, of.account, beside.notes)
    connecting.wake(hub)
    return RedirectResponse("/connections", status_code=303)


async def _ask(desk: Desk, connector: Connector, app: App, given: Given) -> tuple[Grant, Facts | None, Beside]:
    """Ask the account with the token; raises ``No``."""
    assert connector.by_hand is not None
    async with Beside(connector, app, desk.hub.clock) as beside:
        try:
            grant = await connector.by_hand(beside.http, app, given, desk.hub.clock.now())
        except NotTaken as error:
            found = telling.sentence(connector, error.said, desk.words.language)
            raise No(f"{found.what} {found.to_do}".strip()) from None
        except (InstallationError, ConnectorError):
            _later(desk, connector)
        facts = await connecting.facts_of(connector.open(beside.http, app, grant, {}))
    return grant, facts, beside


def _later(desk: Desk, connector: Connector) -> NoReturn:
    raise No(desk.words("token.later", title=connector.manifest.title)) from None


def _until(desk: Desk, typed: str) -> datetime | None:
    """Return the end of the day a person names, as a browser's field or he himself writes it; raises ``No``."""
    typed = typed.strip()
    if not typed:
        return None
    written = "-".join(reversed(typed.split("."))) if "." in typed else typed
    try:
        day = date.fromisoformat(written)
    except ValueError:
        raise No(desk.words("token.until_bad")) from None
    return datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(days=1)


def _known(desk: Desk) -> tuple[Connector, App]:
    name = desk.request.path_params["connector"]
    connector, app = desk.hub.connectors.get(name), desk.hub.apps.get(name)
    if connector is None or app is None or connector.by_hand is None:
        raise NotHere
    return connector, app


def _form(desk: Desk, connector: Connector, told: dict[str, str], trouble: str = "") -> Response:
    shown = {
        "manifest": connector.manifest,
        "told": told,
        "trouble": trouble,
        "by_address": connector.by_hand_is_address,
    }
    return render(desk, "token.html", 422 if trouble else 200, word=partial(desk.word, connector), **shown)
