"""Ways a request proves where it comes from; every comparison takes the same time whatever is wrong."""

import hmac
from base64 import b64decode, b64encode
from collections.abc import Mapping
from hashlib import sha1

from tracking_core.telephony.contract import BadSignature, CallRequest, secret
from tracking_core.telephony.reading import Fields


def same(given: str, ours: str) -> bool:
    """Says whether two texts are equal, in constant time."""
    return hmac.compare_digest(given.encode("utf-8", "surrogatepass"), ours.encode("utf-8", "surrogatepass"))


def hmac_sha1(key: str, text: str) -> bytes:
    """Returns the raw HMAC-SHA1 of a text."""
    # Twilio and Zadarma sign with nothing newer; as an HMAC it still holds.
    return hmac.digest(key.encode("utf-8", "surrogatepass"), text.encode("utf-8", "surrogatepass"), sha1)


def refuse_stranger(request: CallRequest, fields: Fields, secrets: Mapping[str, str]) -> None:
    """Raises ``BadSignature`` unless the connection's ``secret`` is in the field ``secret`` or in Authorization.

    Authorization is ``Bearer SECRET`` or HTTP basic with any user name and SECRET as the password.
    """
    ours = secret(secrets, "secret")
    told = fields.get("secret")
    given = told if isinstance(told, str) else _authorization(request)
    if not given:
        raise BadSignature("The secret is missing: it goes into the field secret or into the header Authorization.")
    if not same(given, ours):
        raise BadSignature("The secret of the request does not belong to this connection.")


def basic(user: str, password: str) -> str:
    """Returns the Authorization header of HTTP basic."""
    return "Basic " + b64encode(f"{user}:{password}".encode()).decode()


def _authorization(request: CallRequest) -> str:
    scheme, _, told = request.header("authorization").partition(" ")
    if scheme.lower() == "bearer":
        return told.strip()
    if scheme.lower() != "basic":
        return ""
    try:
        return b64decode(told.strip(), validate=True).decode("utf-8").partition(":")[2]
    except ValueError:
        return ""
