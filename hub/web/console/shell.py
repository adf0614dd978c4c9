"""The frame of every page: templates, the words and formats of its reader, and the pages for what went wrong."""

import hashlib
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse

from connectors.telling import Sentence
from hub.sentences import told
from hub.store import console
from hub.store.console import Home
from hub.store.people import Who
from hub.web import telling
from hub.web.console.formats import Formats
from hub.web.words import NAMES, Words, preferred

if TYPE_CHECKING:
    from connectors.protocol import Connector
    from hub.hub import Hub

_WEB = Path(__file__).parent.parent
_STYLE = hashlib.sha256((_WEB / "static" / "console.css").read_bytes()).hexdigest()[:12]
_NOBODYS = Home(name="", zone="UTC", currency="", parked=0, broken=0)

templates = Environment(
    loader=FileSystemLoader(_WEB / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
templates.globals.update(style=_STYLE, languages=NAMES)


@dataclass(frozen=True, slots=True)
class Desk:
    """What a page needs: its request, who reads it, and how that person reads."""

    request: Request
    who: Who | None
    home: Home
    words: Words
    now: datetime
    f: Formats = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "f", Formats(self.words, self.home.zone, self.home.currency))

    @property
    def hub(self) -> "Hub":
        """The hub that serves the page."""
        hub: Hub = self.request.app.state.hub
        return hub

    @property
    def tenant_id(self) -> int:
        """The tenant of the person who is logged in."""
        assert self.who is not None
        return self.who.tenant_id

    @property
    def request_id(self) -> str:
        """What a person tells us when something went wrong."""
        return getattr(self.request.state, "request_id", "")

    @property
    def here(self) -> str:
        """The path and query of this page."""
        query = self.request.url.query
        return self.request.url.path + (f"?{query}" if query else "")

    def said(self, connector: str, kept: str) -> list[Sentence]:
        """Return what a connector, or the hub, said of something of an account, in the reader's language."""
        return telling.sentences(self.hub.connectors.get(connector), kept, self.words.language)

    def said_of(self, connector: str, kept: str) -> str:
        """Return the same in one text."""
        return telling.one_text(self.said(connector, kept))

    def word(self, connector: "Connector", key: str) -> str:
        """Return a word of a page, in the connector's own words where it knows better than the hub."""
        own, title = connector.words.get(self.words.language, {}).get(key), connector.manifest.title
        return own.whole.format(title=title) if own else self.words(key, title=title)

    def told(self, sentence: str) -> str:
        """Return a sentence of the core in the reader's language."""
        return told(self.words.language, sentence)


def bare_desk(request: Request, who: Who | None = None) -> Desk:
    """Return a desk that asked the database nothing: for the login page and for errors."""
    asked = request.query_params.get("language") or preferred(request.headers.get("accept-language", ""))
    words = Words(who.language if who else asked)
    return Desk(request, who, _NOBODYS, words, request.app.state.hub.clock.now())


async def open_desk(request: Request, who: Who) -> Desk:
    """Return the desk of a person who is logged in."""
    bare = bare_desk(request, who)
    return replace(bare, home=await bare.hub.db.read(console.home_of, who.tenant_id))


def render(desk: Desk, name: str, status: int = 200, **values: Any) -> HTMLResponse:
    """Fill a template of the console."""
    text = templates.get_template(name).render(desk=desk, t=desk.words, f=desk.f, **values)
    return HTMLResponse(text, status_code=status, headers={"cache-control": "no-store"})


async def complain(request: Request, status: int, key: str = "", detail: str = "") -> HTMLResponse:
    """Return the page that says what went wrong and what to do.

    ``key`` is a text that says more than the status, ``detail`` what another system said, in its own words.
    """
    who: Who | None = getattr(request.state, "who", None)
    desk = await open_desk(request, who) if who and status < 500 else bare_desk(request, who)
    return render(desk, "error.html", status, code=status, why=desk.words(key) if key else "", detail=detail)
