"""HS256 JSON Web Tokens, signed by hand."""

import base64
import hashlib
import hmac
from collections.abc import Mapping

import orjson


def sign_jwt(claims: Mapping[str, object], key: str) -> str:
    """Returns a compact JWT signed with HS256."""
    head = _segment(orjson.dumps({"typ": "JWT", "alg": "HS256"}))
    signed = f"{head}.{_segment(orjson.dumps(dict(claims)))}"
    return f"{signed}.{_segment(hmac.new(key.encode(), signed.encode(), hashlib.sha256).digest())}"


def _segment(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
