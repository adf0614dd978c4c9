"""Our pages inside a portal: who opened them, and on which card (sheet sections 1.3, 1.5 and 7.3).

The form that opens a page can be forged by anyone: the authorisation server says whose token it carries, and the portal
who that is and whether he may see the card.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from importlib.resources import files
from urllib.parse import urlsplit

from connectors.bitrix24 import ticket
from connectors.bitrix24.api import Api, Replies, envelope, whose
from connectors.bitrix24.cards import named, whole
from connectors.bitrix24.encoding import command
from connectors.bitrix24.grant import account_host, address, is_account, is_name, lifetime, servers
from connectors.bitrix24.mappings import CARD_TABS, LIBRARY
from connectors.bitrix24.posted import form
from connectors.bitrix24.trouble import trouble
from connectors.errors import ConnectorError, Refused
from connectors.frames import Framed, Frames, Hidden
from connectors.http import Http
from connectors.protocol import App, Grant, HookRequest, Opened, Rejected
from connectors.telling import Said

_CAP = 4_096  # characters of a token
_SHOWN = 60  # characters of a host that we do not know
_NO_CARD = ("", "")  # who is no administrator sees the settings and no card


@dataclass(frozen=True, slots=True)
class _Page:
    """What the form of a page says; nothing of it is believed yet."""

    host: str
    account: str
    language: str
    fields: Mapping[str, str]

    @property
    def access(self) -> str:
        return self.fields.get("AUTH_ID", "")

    @property
    def kind(self) -> int | None:
        """The kind of card whose tab it is; None for our main page."""
        return CARD_TABS.get(self.fields.get("PLACEMENT", ""))

    @property
    def card(self) -> int:
        """The id of the card; its options are JSON in a text, or nothing [1.3]."""
        try:
            found = json.loads(self.fields.get("PLACEMENT_OPTIONS", ""))
        except (ValueError, RecursionError):
            return 0
        return whole(found.get("ID")) if isinstance(found, dict) else 0


async def vouch(http: Http, app: App, request: HookRequest, now: datetime) -> Framed:
    """Return who opened a page on what; raises ``Hidden`` with the reason why not, ``InstallationError``."""
    page = _read(request, app)
    try:
        user = await _user(http, app, page)
        told = await Api(http, address(app, page.host), page.access).ask(_asked(page))
    except Refused as error:
        if error.status in (400, 401, 403):
            raise Hidden(Said("frame_old")) from None
        raise trouble(error) from None
    except ConnectorError as error:
        raise trouble(error) from None
    return _framed(app, page, user, told, now)


def _read(request: HookRequest, app: App) -> _Page:
    fields = form(request)
    if isinstance(fields, Rejected):
        raise Hidden(Said("frame_elsewhere"))
    named = request.query.get("DOMAIN", "")
    host = account_host(app, named)
    if host is None and is_name(named):
        raise Hidden(Said("frame_own_server", {"host": named.strip().lower()[:_SHOWN]}))
    language = request.query.get("LANG", "").lower()
    page = _Page(host or "", fields.get("member_id", ""), language, fields)
    if not page.access or len(page.access) > _CAP or host is None or not is_account(page.account):
        raise Hidden(Said("frame_elsewhere"))
    if page.kind and not page.card:
        raise Hidden(Said("frame_unsaved"))
    return page


async def _user(http: Http, app: App, page: _Page) -> str:
    """Return whose token it is, once it is of our application and of this portal."""
    server = servers(app, page.host, page.fields.get("SERVER_ENDPOINT", ""))[0]
    found = envelope(await whose(http, server, page.access)).get("result")
    told = found if isinstance(found, dict) else {}
    install = told.get("install")
    if not isinstance(install, dict) or told.get("client_id") != app.client_id:
        raise Hidden(Said("frame_elsewhere"))
    host = account_host(app, str(install.get("domain") or ""))
    if install.get("member_id") != page.account or host != page.host:
        raise Hidden(Said("frame_elsewhere"))
    return str(told.get("user_id") or "")


def _asked(page: _Page) -> dict[str, str]:
    asked = {"profile": command("profile", {}), "app": command("app.info", {})}
    if page.kind:  # by the rights of who looks
        asked["card"] = command("crm.item.get", {"entityTypeId": page.kind, "id": page.card})
    return asked


def _framed(app: App, page: _Page, user: str, told: Replies, now: datetime) -> Framed:
    profile = told.object("profile")
    if not user or str(profile.get("ID") or "") != user:
        raise Hidden(Said("frame_old"))
    if page.kind and whole(told.card("card").get("id")) != page.card:
        raise Hidden(Said("frame_no_card"))
    is_admin = profile.get("ADMIN") is True
    kind = "contact" if page.fields.get("PLACEMENT", "").startswith("CRM_CONTACT") else "deal"
    card = (kind, named(page.kind, page.card)) if page.kind else None
    once = sha256(f"{page.access}|{now.timestamp()}".encode()).hexdigest()[:32]
    sees = card if card or is_admin else _NO_CARD
    opened = Opened(page.account, page.host, user, is_admin, once, now + ticket.LIFE, sees)
    is_new = is_admin and told.object("app").get("INSTALLED") is False
    grant = _grant(page, now) if is_admin and not page.kind else None
    return Framed(opened, card, ticket.written(opened, app, now), grant, page.language, is_new)


def _grant(page: _Page, now: datetime) -> Grant | None:
    """Return the access that an administrator's page brought; the portal gives a pair with each opening [1.3]."""
    refresh, secret = page.fields.get("REFRESH_ID", ""), page.fields.get("APPLICATION_TOKEN", "")
    if not refresh or len(refresh) > _CAP or len(secret) > _CAP:
        return None
    ends_at = now + lifetime(page.fields.get("AUTH_EXPIRES"))
    return Grant(page.account, page.host, page.access, refresh, ends_at, secret)


def _script() -> bytes:
    return files("connectors.bitrix24").joinpath("page", "frame.js").read_bytes()


def _library(app: App) -> str:
    return f"{app.base_url.rstrip('/')}/api/v1/" if app.base_url else LIBRARY


def _parent(app: App, host: str) -> str:
    parts = urlsplit(address(app, host))
    return f"{parts.scheme}://{parts.netloc}"


frames = Frames(vouch=vouch, script=_script, library=_library, parent=_parent)
