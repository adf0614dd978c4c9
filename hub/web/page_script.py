"""The page scripts as a site loads them: the site's settings, then the script's text, in one cached answer.

``dni.js`` shows the number; ``enquiries.js`` takes forms and callback orders, and needs ``dni.js`` on the page. For a
site that follows letters or messengers ``visit_code.js`` comes with it.
"""

import hashlib
from functools import cache
from pathlib import Path
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response

from hub.store.sites import SiteDoor
from hub.web.words.callback import CALLBACK, HELLO
from tracking_core.messenger_links import LINK_FORMS
from tracking_core.phone import national

HEARTBEAT_S = 30
_TIMEOUT_MS = 1_000
_STATIC = Path(__file__).parent / "static"
_NUMBER, _ENQUIRIES, _CODE = "dni.js", "enquiries.js", "visit_code.js"
_LINKS = [[form.pattern, form.parameter, form.prefills] for form in LINK_FORMS]


@cache
def script(name: str) -> bytes:
    """Return the text of a script."""
    return (_STATIC / name).read_bytes()


@cache
def version() -> str:
    """Return the version that stands in the addresses of the scripts: it changes when the text of any does."""
    return hashlib.sha256(script(_NUMBER) + script(_ENQUIRIES) + script(_CODE)).hexdigest()[:10]


def snippet(public_url: str, site_key: str, more: str = "") -> str:
    """Return the line a site's pages carry; with ``more`` that of a second script."""
    return f'<script async src="{public_url.rstrip("/")}/dni/v1/{version()}/{site_key}{more}.js"></script>'


def answer(request: Request, site: SiteDoor, base: str) -> Response:
    """Answer with the script that is asked for and the site's settings; 304 when the browser has just that."""
    body = _enquiries(site, base) if request.url.path.endswith(f"/{_ENQUIRIES}") else _number(site, base)
    tag = f'"{hashlib.sha256(body).hexdigest()[:20]}"'
    is_pinned = request.path_params["version"] == version()
    headers = {
        "etag": tag,
        "cache-control": f"public, max-age={3_600 if is_pinned else 60}",
        "cross-origin-resource-policy": "cross-origin",
    }
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=headers)
    return Response(body, media_type="text/javascript; charset=utf-8", headers=headers)


def _number(site: SiteDoor, base: str) -> bytes:
    targets = [
        {"group": one.group, "number": one.e164, "selectors": one.selectors, "mask": one.mask or None}
        for one in site.numbers
    ]
    settings = {
        "site": site.key,
        "base": base.rstrip("/"),
        "targets": targets,
        "mode": site.mode,
        "consent": site.consent,
        "timeout_ms": _TIMEOUT_MS,
        "hb": HEARTBEAT_S,
    }
    return b"window.__dni=" + orjson.dumps(settings) + b";\n" + script(_NUMBER)


def _enquiries(site: SiteDoor, base: str) -> bytes:
    to_dial = site.numbers[0].e164 if site.numbers else site.overflow_number
    settings = {
        "site": site.key,
        "base": base.rstrip("/"),
        "forms": site.forms,
        "callback": site.callback,
        "phone": {"number": to_dial, "display": national(to_dial)},
        "words": CALLBACK,
        **_coded(site),
    }
    more = b"\n" + script(_CODE) if site.mail or site.messengers is not None else b""
    # A second copy of the script finds the settings of the first, and that it is on.
    return b"window.__dni_enquiries??=" + orjson.dumps(settings) + b";\n" + script(_ENQUIRIES) + more


def _coded(site: SiteDoor) -> dict[str, Any]:
    """Return what carries the visit's code: the mail address, and links to messengers; nothing where neither does."""
    settings: dict[str, Any] = {}
    if site.mail:
        settings["mail"] = {name: site.mail[name] for name in ("address", "reply")}
    if site.messengers is not None:
        own_words = site.messengers.get("text")
        settings |= {"messengers": _LINKS, "hello": dict.fromkeys(HELLO, own_words) if own_words else HELLO}
    return settings
