"""The page script as a site loads it: its settings, then the text of ``static/dni.js``, in one cached answer."""

import hashlib
from functools import cache
from pathlib import Path

import orjson
from starlette.requests import Request
from starlette.responses import Response

from hub.store.sites import SiteDoor

HEARTBEAT_S = 30
_TIMEOUT_MS = 1_000
_FILE = Path(__file__).parent / "static" / "dni.js"


@cache
def script() -> bytes:
    """Return the script's text."""
    return _FILE.read_bytes()


@cache
def version() -> str:
    """Return the version that stands in the script's address: it changes when the text does."""
    return hashlib.sha256(script()).hexdigest()[:10]


def snippet(public_url: str, site_key: str) -> str:
    """Return the line a site's pages carry."""
    return f'<script async src="{public_url.rstrip("/")}/dni/v1/{version()}/{site_key}.js"></script>'


def answer(request: Request, site: SiteDoor, base: str) -> Response:
    """Answer with the script and the site's settings; 304 when the browser has just that."""
    body = b"window.__dni=" + orjson.dumps(_settings(site, base)) + b";\n" + script()
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


def _settings(site: SiteDoor, base: str) -> dict[str, object]:
    targets = [
        {"group": one.group, "number": one.e164, "selectors": one.selectors, "mask": one.mask or None}
        for one in site.numbers
    ]
    return {
        "site": site.key,
        "base": base.rstrip("/"),
        "targets": targets,
        "mode": site.mode,
        "consent": site.consent,
        "timeout_ms": _TIMEOUT_MS,
        "hb": HEARTBEAT_S,
    }
