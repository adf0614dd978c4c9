"""What can be connected, how each connection is, and how one is ended."""

from collections.abc import Mapping
from datetime import datetime

from starlette.responses import RedirectResponse, Response

from connectors.protocol import Connector
from connectors.telling import Said
from hub import conflicts
from hub.store import crm, doorbells, health, ledger, scenario_versions
from hub.store.crm import Installed
from hub.store.doorbells import Heard
from hub.store.health import Health
from hub.store.ledger import Entry, Kind
from hub.store.said import pack
from hub.store.scenario_versions import SavedScenario
from hub.store.tx import Tx
from hub.store.vault import Vault
from hub.web import checks, telling, trying
from hub.web.checks import Check
from hub.web.console.conflicts_told import conflict_lines
from hub.web.console.page import NotHere, form, page
from hub.web.console.shell import Desk, render
from hub.web.given import id_in

_REASON = pack(Said("hub.disconnected"))


@page
async def show(desk: Desk) -> Response:
    """Show every connector with its installations."""
    return await _show(desk)


async def _show(desk: Desk, trouble: str = "", tried: Mapping[int, tuple[bool, str]] | None = None) -> Response:
    hub = desk.hub
    installed = await hub.db.read(health.installations, desk.tenant_id)
    heard = await hub.db.read(doorbells.told, desk.tenant_id, desk.now)
    rules = await hub.db.read(scenario_versions.of_all, desk.tenant_id)
    beside = await hub.db.read(conflicts.of_tenant, desk.tenant_id, desk.now)
    return render(
        desk,
        "connections.html",
        trouble=trouble,
        tried=tried or {},
        conflicts={one.of.id: conflict_lines(desk.f, one) for one in beside if one.said},
        checks={one.id: _checks(desk, one, heard.get(one.id), rules.get(one.connector)) for one in installed},
        connectors=[
            (connector, hub.apps.get(name), [one for one in installed if one.connector == name], _can(desk, connector))
            for name, connector in hub.connectors.items()
        ],
        others=[one for one in installed if one.connector not in hub.connectors],
    )


def _can(desk: Desk, connector: Connector) -> list[tuple[str, str]]:
    """Return what a connector can do, each with its caveat in the reader's language, where it has one."""
    return [
        (can, telling.sentence(connector, caveat, desk.words.language).what if caveat else "")
        for can, caveat in connector.manifest.can.items()
    ]


def _checks(desk: Desk, one: Health, heard: Heard | None, rules: SavedScenario | None) -> list[Check]:
    """Return what a person should know of an account that works."""
    if one.status != crm.ACTIVE:
        return []
    connector: Connector | None = desk.hub.connectors.get(one.connector)
    day = desk.f.day(desk.f.local(one.token_ends_at).date()) if one.token_ends_at else ""
    return [
        *checks.rules(rules, one.facts, one.fitted, desk.words),
        *checks.token(one.token_ends_at, desk.now, day, desk.words),
        *checks.missing(connector, one.facts, one.hold_why if one.is_held(desk.now) else "", desk.words),
        *(found for found in checks.doorbell(connector, heard, desk.words) if not found.ok),
    ]


@page
async def ask(desk: Desk) -> Response:
    """Ask whether an account is to be disconnected, and say what becomes of what is there."""
    of = await desk.hub.db.read(_installed, desk.tenant_id, _id(desk))
    (one,) = [found for found in await desk.hub.db.read(health.installations, desk.tenant_id) if found.id == of.id]
    return render(desk, "disconnect.html", one=one)


@form
async def try_now(desk: Desk) -> Response:
    """Ask an account whether the connection works, now: a person may have mended what it rests for."""
    of = await desk.hub.db.read(_installed, desk.tenant_id, _id(desk))
    connector = desk.hub.connectors.get(of.connector)
    if connector is None:
        raise NotHere
    return await _show(desk, tried={of.id: await trying.try_now(desk.hub, connector, of, desk.words)})


@form
async def disconnect(desk: Desk) -> Response:
    """Disconnect an account: what is ours there is taken away as far as the vendor lets, its tokens are forgotten."""
    hub = desk.hub
    of = await hub.db.read(_installed, desk.tenant_id, _id(desk))
    has_left = of.status == crm.ACTIVE and await hub.doorbells.leave(of)
    had_bell = of.id in await hub.db.read(doorbells.told, of.tenant_id, desk.now)
    assert desk.who is not None
    await hub.db.write(_forget, of, desk.who.person_id, hub.clock.now(), hub.vault)
    if had_bell and not has_left:
        return await _show(desk, desk.words("disconnect.not_taken"))
    return RedirectResponse("/connections", status_code=303)


def _forget(tx: Tx, of: Installed, person_id: int, now: datetime, vault: Vault) -> None:
    crm.forget_access(tx, of, _REASON, vault)
    doorbells.forget(tx, of)
    entry = Entry(Kind.GRANT_REVOKED, now, installation_id=of.id, who=ledger.person(person_id))
    ledger.write(tx, of.tenant_id, entry)


def _installed(tx: Tx, tenant_id: int, installation_id: int) -> Installed:
    found = [one for one in crm.installations(tx, tenant_id) if one.id == installation_id]
    if not found or found[0].status == crm.REMOVED:
        raise NotHere
    return found[0]


def _id(desk: Desk) -> int:
    found = id_in(desk.request.path_params["installation_id"])
    if found is None:
        raise NotHere
    return found
