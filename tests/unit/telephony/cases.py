"""Reads a vendor's file of cases and makes requests of them, signed by code that is not the adapters'."""

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import MISSING, fields
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import yaml
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tracking_core.call import CallEvent
from tracking_core.telephony import ADAPTERS, CallRequest

FOLDER = Path(__file__).parent
VENDORS = sorted(path.stem for path in FOLDER.glob("*.yaml"))
ADDRESS = "https://hub.example/telephony/TOKEN"
SEED = bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")  # RFC 8032, test 1

Spec = Mapping[str, Any]


@cache
def cases_of(vendor: str) -> Spec:
    """Return what a vendor's file tells."""
    return yaml.safe_load((FOLDER / f"{vendor}.yaml").read_text(encoding="utf-8"))


def named(part: str) -> list[Any]:
    """Return (vendor, name) of every case in one part of all files."""
    return [(vendor, name) for vendor in VENDORS for name in cases_of(vendor)[part]]


def request_of(vendor: str, spec: Spec, now: datetime | None = None) -> CallRequest:
    """Make a request of its description; it is signed unless the description has its headers' signature itself."""
    body, media_type = _body(spec)
    query = {name: str(told) for name, told in spec.get("query", {}).items()}
    path = spec.get("path", "")
    made = {"content-type": media_type, **cases_of(vendor).get("headers", {}), **spec.get("headers", {})}
    url = spec.get("url", ADDRESS + path + ("?" + urlencode(query) if query else ""))
    signer = SIGNERS.get(vendor)
    if signer and not spec.get("as_it_is"):
        made.update(signer(spec, url, body, now or received(vendor, spec)))
    headers = {name: told for name, told in made.items() if told is not None}
    return CallRequest(spec.get("method", "POST"), path, headers, query, body, url)


def _body(spec: Spec) -> tuple[bytes, str]:
    if "form" in spec:
        return urlencode(spec["form"]).encode(), "application/x-www-form-urlencoded"
    if "json" in spec:
        return json.dumps(spec["json"], default=str).encode(), "application/json"
    return spec.get("text", "").encode(), spec.get("media_type", "text/xml")


def received(vendor: str, spec: Spec) -> datetime:
    """Return when a request arrives: at its own moment or at its file's."""
    return spec.get("received", cases_of(vendor)["now"])


def read(vendor: str, spec: Spec, now: datetime | None = None) -> tuple[CallEvent, ...]:
    """Parse one request as its vendor's adapter."""
    told, at = cases_of(vendor), now or received(vendor, spec)
    zone = ZoneInfo(told.get("zone", "Europe/Moscow"))
    return ADAPTERS[vendor].parse(request_of(vendor, spec, at), told.get("secrets", {}), at, zone)


def facts(event: CallEvent) -> dict[str, Any]:
    """Return what an event tells beyond the defaults, without its key."""
    told = {one.name: getattr(event, one.name) for one in fields(event) if one.name != "dedupe_key"}
    defaults = {one.name: one.default for one in fields(event) if one.default is not MISSING}
    return {name: value for name, value in told.items() if name not in defaults or value != defaults[name]}


def _zadarma(spec: Spec, url: str, body: bytes, now: datetime) -> dict[str, str]:
    """Signs as the documentation's table says."""
    form = {name: str(told) for name, told in spec.get("form", {}).items()}
    covered = {
        "NOTIFY_ANSWER": "caller_id destination call_start",
        "NOTIFY_OUT_START": "internal destination call_start",
        "NOTIFY_OUT_END": "internal destination call_start",
        "NOTIFY_RECORD": "pbx_call_id call_id_with_rec",
    }.get(form.get("event", ""), "caller_id called_did call_start")
    text = "".join(form.get(name, "") for name in covered.split())
    digest = hmac.new(b"zsecret", text.encode(), hashlib.sha1).hexdigest()
    return {"Signature": base64.b64encode(digest.encode()).decode()}


def _twilio(spec: Spec, url: str, body: bytes, now: datetime) -> dict[str, str]:
    form = spec.get("form", {})
    text = url + "".join(f"{name}{form[name]}" for name in sorted(form))
    return {"X-Twilio-Signature": base64.b64encode(hmac.new(b"12345", text.encode(), "sha1").digest()).decode()}


def _telnyx(spec: Spec, url: str, body: bytes, now: datetime) -> dict[str, str]:
    stamp = str(int(now.timestamp()))
    signature = Ed25519PrivateKey.from_private_bytes(SEED).sign(stamp.encode() + b"|" + body)
    return {"telnyx-timestamp": stamp, "telnyx-signature-ed25519": base64.b64encode(signature).decode()}


SIGNERS = {"zadarma": _zadarma, "twilio": _twilio, "telnyx": _telnyx}
