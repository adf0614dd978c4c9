"""Our pages inside the CRM: what the account's settings and its cards show, and what a person corrects there.

Every request carries a one-time token that the vendor signs: it says which account, which user, and whether he is an
administrator. Nothing else is believed, no cookie is read, and a card is looked for among the account's own.
"""

import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import orjson
import structlog
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from connectors.protocol import App, Connector, Opened, Rejected
from hub.delivery import lanes
from hub.hub import Hub
from hub.recording_links import address
from hub.store import cards, corrections, crm, doorbells, grants, market, people, recording_links, scenario_versions
from hub.store.corrections import CrmUser
from hub.store.crm import Installed
from hub.store.market import Account
from hub.store.scenario_versions import SavedScenario
from hub.store.tx import Tx
from hub.web import checks, embed_card, embed_state, telling
from hub.web.answers import Json, refused
from hub.web.checks import Check
from hub.web.console.formats import Formats
from hub.web.given import id_in
from hub.web.link import link_to
from hub.web.oauth import as_hook
from hub.web.trying import try_now
from hub.web.words import Words

log = structlog.get_logger()

_CAP = 10_000  # bytes of a body
_CARD = re.compile(r"[A-Z]?[1-9][0-9]{0,18}")
_PATIENCE = timedelta(seconds=3)  # of an answer with what it has begun
_GLANCE = timedelta(seconds=0.1)


class No(Exception):
    """A request that is refused: its status and the key of its sentence."""

    def __init__(self, status: int, key: str, **values: object) -> None:
        super().__init__(key)
        self.status, self.key, self.values = status, key, values


@dataclass(frozen=True, slots=True)
class Guest:
    """Who looks at a page of ours in the CRM, in which language, and which installation is his account's."""

    hub: Hub
    request: Request
    connector: Connector
    app: App
    opened: Opened
    of: Installed | None
    t: Words
    now: datetime

    @property
    def installation(self) -> Installed:
        """The installation of his account; raises ``No``."""
        if self.of is None:
            raise No(404, "embed.no_account")
        return self.of

    @property
    def name(self) -> str:
        """The name of our connector."""
        return self.connector.manifest.name

    @property
    def why_gone(self) -> str:
        """Why the hub has no access to his account any more; empty while it has."""
        kept = self.of.reason if self.of else ""
        return " ".join(one.what for one in telling.sentences(self.connector, kept, self.t.language))

    def told(self, kept: str) -> str:
        """Return what was said of his account, in his language."""
        return telling.told(self.connector, kept, self.t.language)

    def as_user(self) -> CrmUser:
        """Return him as those are named who correct an enquiry."""
        user = self.opened.user
        name = (self.installation.facts or {}).get("users", {}).get(user, user)
        return CrmUser(user, self.t("embed.crm_user", name=name))

    def spend(self, tx: Tx) -> None:
        """Note that his token has its effect in this transaction."""
        market.spend_token(tx, self.name, self.opened.token_id, self.opened.ends_at)


Handler = Callable[[Guest], Awaitable[dict[str, Any]]]


class Embedded:
    """The doors of our pages inside the CRM."""

    def __init__(self, hub: Hub) -> None:
        self.hub = hub

    def routes(self) -> list[Route]:
        """Return the routes, each with its answer to a browser that asks whether it may."""
        doors: tuple[tuple[str, dict[str, Handler]], ...] = (
            ("state", {"GET": _state}),
            ("scenario", {"POST": _choose}),
            ("test", {"POST": _test}),
            ("cards/{kind:str}/{card:str}", {"GET": _card}),
            ("enquiries/{enquiry_id:str}/visit", {"POST": _correct, "DELETE": _take_back}),
        )
        return [
            Route(f"/embed/{{connector:str}}/{path}", self._door(handlers), methods=["OPTIONS", *handlers])
            for path, handlers in doors
        ]

    def _door(self, handlers: dict[str, Handler]) -> Callable[[Request], Awaitable[Response]]:
        async def serve(request: Request) -> Response:
            name = request.path_params["connector"]
            connector, app = self.hub.connectors.get(name), self.hub.apps.get(name)
            if connector is None or app is None:
                return refused(request, 404, "There is nothing under this address.")
            handler = handlers.get("GET" if request.method == "HEAD" else request.method)
            answer = await self._answer(request, connector, app, handler) if handler else Response(status_code=204)
            _allow(answer, request, connector, app, (*handlers,))
            return answer

        return serve

    async def _answer(self, request: Request, connector: Connector, app: App, handler: Handler) -> Response:
        t, now = Words(request.query_params.get("lang", "")), self.hub.clock.now()
        try:
            opened = connector.hooks.opened(await as_hook(request), app, now)
            if isinstance(opened, Rejected):
                log.warning("embed.refused", connector=connector.manifest.name, sentence=opened.sentence)
                raise No(401, "embed.no_token")
            of = await self.hub.db.read(_installation_of, connector.manifest.name, opened.account)
            return Json(await handler(Guest(self.hub, request, connector, app, opened, of, t, now)))
        except No as no:
            return refused(request, no.status, t(no.key, **no.values))
        except market.TokenSpent:
            return refused(request, 401, t("embed.used"))


def _allow(answer: Response, request: Request, connector: Connector, app: App, methods: tuple[str, ...]) -> None:
    """Let the page of an account read the answer; no cookie comes with it, and no other page may."""
    answer.headers["vary"] = "Origin"
    answer.headers["cache-control"] = "no-store"
    origin = request.headers.get("origin", "")
    if origin and connector.hooks.may_embed(app, origin):
        answer.headers["access-control-allow-origin"] = origin
        answer.headers["access-control-allow-methods"] = ", ".join(methods)
        answer.headers["access-control-allow-headers"] = "X-Auth-Token, Content-Type"
        answer.headers["access-control-max-age"] = "600"


def _installation_of(tx: Tx, connector: str, account: str) -> Installed | None:
    owner = market.owner_of(tx, connector, account)
    return crm.installation(tx, owner[0], owner[1]) if owner else None


# -- the settings of the account


async def _state(guest: Guest) -> dict[str, Any]:
    of, opened, hub = guest.of, guest.opened, guest.hub
    waits = of is None and await hub.db.read(_has_come, guest)
    rules = await hub.db.read(scenario_versions.live, of.tenant_id, of.connector) if of else None
    address = link_to(hub, guest.name, opened, guest.now) if opened.is_admin else None
    found = await hub.db.read(_found_out, guest, rules) if of and of.status == crm.ACTIVE else []
    return embed_state.told(guest.t, of, guest.why_gone, opened, rules, address, found, waits=waits)


def _found_out(tx: Tx, guest: Guest, rules: SavedScenario | None) -> list[Check]:
    """Return what was found out about the account, in the language of who looks."""
    of, t, now = guest.installation, guest.t, guest.now
    ends_at = grants.end_of(tx, of)
    day = Formats(t, "UTC", "").day(ends_at.date()) if ends_at else ""
    lane = lanes.told(tx, of.tenant_id).get(of.id, {})
    is_held = bool(lane.get("hold_until")) and lane["hold_until"] > now
    hold_why = lane["hold_why"] if is_held else ""
    return [
        *checks.hold(guest.connector, hold_why, t),
        *checks.rules(rules, of.facts, of.fitted, t),
        *checks.token(ends_at, now, day, t),
        *checks.missing(guest.connector, of.facts, hold_why, t),
        *checks.doorbell(guest.connector, doorbells.told(tx, of.tenant_id, now).get(of.id), t),
    ]


def _has_come(tx: Tx, guest: Guest) -> bool:
    of = Account(guest.name, guest.opened.account, guest.app.client_id)
    kept = market.unlinked(tx, of, guest.now, guest.hub.vault)
    return bool(kept and kept.grant) or market.has_code(tx, guest.name, guest.opened.host, guest.now)


async def _choose(guest: Guest) -> dict[str, Any]:
    """Choose a scenario: there is one, so whoever names it has what he wants."""
    if not guest.opened.is_admin:
        raise No(403, "embed.not_admin")
    of = guest.installation
    rules = await guest.hub.db.read(scenario_versions.live, of.tenant_id, of.connector)
    if rules is None or (await _body(guest)).get("id") != embed_state.scenario_id(rules):
        raise No(409, "embed.one_scenario")
    return await _state(guest)


async def _test(guest: Guest) -> dict[str, Any]:
    works, sentence = await try_now(guest.hub, guest.connector, guest.installation, guest.t)
    return {"ok": works, "sentence": sentence}


# -- cards


async def _card(guest: Guest) -> dict[str, Any]:
    kind, card = guest.request.path_params["kind"], guest.request.path_params["card"]
    if kind not in cards.KINDS or not _is_card(card) or guest.opened.card not in (None, (kind, card)):
        raise No(404, "embed.no_enquiry")
    of = guest.installation
    found = await guest.hub.db.read(embed_card.of_card, of.tenant_id, of.id, (kind, card), guest.hub.vault)
    return {"enquiries": await _shown(guest, found)}


def _is_card(card: str) -> bool:
    """Say whether a text can be the id of a card: vendors number them, some with a letter before."""
    return _CARD.fullmatch(card) is not None


async def _shown(guest: Guest, found: Sequence[embed_card.Known]) -> list[dict[str, Any]]:
    """Return enquiries as a card shows them, each recording with a link that is good for a while."""
    hub, tenant_id = guest.hub, guest.installation.tenant_id
    recorded = [one.story.enquiry.id for one in found if one.is_recorded]
    asked = (tenant_id, recorded, f"crm:{guest.opened.user}", guest.now, hub.vault)
    links = await hub.db.read(recording_links.good_for_cards, *asked) if recorded else {}
    if len(links) < len(recorded):
        links = await hub.db.write(recording_links.for_cards, *asked)
    heard_at = {one: address(hub.settings.public_url, secret) for one, secret in links.items()}
    return [embed_card.shown(one, guest.t, heard_at.get(one.story.enquiry.id)) for one in found]


async def _correct(guest: Guest) -> dict[str, Any]:
    body, enquiry_id = await _body(guest), _enquiry_id(guest)
    visit = body.get("visit", "")
    if visit is not None and (type(visit) is not int or not 0 < visit < 2**63):
        raise No(400, "embed.bad")
    await guest.hub.db.write(_said, guest, enquiry_id, visit)
    return await _after(guest, enquiry_id)


async def _take_back(guest: Guest) -> dict[str, Any]:
    enquiry_id = _enquiry_id(guest)
    await guest.hub.db.write(_unsaid, guest, enquiry_id)
    return await _after(guest, enquiry_id)


def _said(tx: Tx, guest: Guest, enquiry_id: int, visit_id: int | None) -> None:
    of = _on_his_cards(tx, guest, enquiry_id)
    found = embed_card.known(tx, of.tenant_id, enquiry_id, guest.hub.vault)
    made = found.match if found else None
    candidates = {seen.id for seen in (*made.others, *((made.visit,) if made.visit else ()))} if made else set()
    if visit_id is not None and visit_id not in candidates:
        raise No(404, "embed.no_visit")
    owner = people.owner(tx, of.tenant_id)
    corrections.correct(tx, of.tenant_id, enquiry_id, visit_id, owner, guest.now, guest.as_user())
    guest.spend(tx)


def _unsaid(tx: Tx, guest: Guest, enquiry_id: int) -> None:
    of = _on_his_cards(tx, guest, enquiry_id)
    owner = people.owner(tx, of.tenant_id)
    corrections.take_back(tx, of.tenant_id, enquiry_id, owner, guest.now, guest.as_user())
    guest.spend(tx)


def _on_his_cards(tx: Tx, guest: Guest, enquiry_id: int) -> Installed:
    of = guest.installation
    if not cards.is_on(tx, of.tenant_id, of.id, enquiry_id, guest.opened.card):
        raise No(404, "embed.no_enquiry")
    return of


async def _after(guest: Guest, enquiry_id: int) -> dict[str, Any]:
    """Return the enquiry once it was looked at again, or as it is when that takes long."""
    hub, tenant_id = guest.hub, guest.installation.tenant_id
    hub.inbox.wake()
    for _ in range(_PATIENCE // _GLANCE):
        if await hub.db.read(corrections.is_settled, tenant_id, enquiry_id):
            break
        await hub.clock.wait_until(hub.clock.now() + _GLANCE, _GLANCE.total_seconds())
    found = await hub.db.read(embed_card.known, tenant_id, enquiry_id, hub.vault)
    if found is None:
        raise No(404, "embed.no_enquiry")
    return (await _shown(guest, [found]))[0]


def _enquiry_id(guest: Guest) -> int:
    enquiry_id = id_in(guest.request.path_params["enquiry_id"])
    if enquiry_id is None:
        raise No(404, "embed.no_enquiry")
    return enquiry_id


async def _body(guest: Guest) -> dict[str, Any]:
    text = await guest.request.body()
    try:
        found = orjson.loads(text) if len(text) <= _CAP else None
    except orjson.JSONDecodeError:
        found = None
    if not isinstance(found, dict):
        raise No(400, "embed.bad")
    return found
