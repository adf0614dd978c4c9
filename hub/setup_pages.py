"""What a site's second script does, as the set-up file says it."""

import re
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, Field, field_validator

from hub.setup_values import STRICT
from tracking_core.enquiry import to_email

_DOMAIN = re.compile(r"(?:[a-z0-9-]+\.)+[a-z0-9-]{2,}")
_CODE = "{code}"


def _address(text: str) -> str:
    email = to_email(text)
    if email is None:
        raise ValueError("is not an e-mail address like sales@firm.example")
    return email


def _own(text: str) -> str:
    known = to_email(text) or text.strip().lower().removeprefix("@")
    if "@" not in known and not _DOMAIN.fullmatch(known):
        raise ValueError("is neither an e-mail address nor a domain like firm.example")
    return known


Line = Annotated[str, Field(min_length=1, max_length=200)]


class CallbackPart(BaseModel):
    """The button by which a visitor orders a call; a text left out is the usual one, in the page's language."""

    model_config = STRICT

    button: Line | None = None
    title: Line | None = None
    text: Line | None = None
    hours: Line | None = None
    thanks: Line | None = None
    agree: Line | None = None
    privacy_url: Annotated[str, Field(max_length=500, pattern=r"^(https?://|/)\S*$")] | None = None
    color: Annotated[str, Field(pattern=r"^#[0-9a-fA-F]{6}$")] | None = None


class MailPart(BaseModel):
    """The address a site's pages show, and the visitor's own one that stands in for it."""

    model_config = STRICT

    address: Annotated[str, AfterValidator(_address)]
    reply: str
    own: list[Annotated[str, AfterValidator(_own)]] = []

    @field_validator("reply")
    @classmethod
    def _names_a_visit(cls, text: str) -> str:
        local, _, domain = text.strip().lower().rpartition("@")
        if text.count(_CODE) != 1 or local.count(_CODE) != 1:
            raise ValueError("has {code} exactly once, before the @, like sales+{code}@firm.example")
        if re.search(r"[a-z0-9]\{code\}|\{code\}[a-z0-9]", local):
            raise ValueError("parts {code} from letters and digits by a sign, like sales+{code}@firm.example")
        if to_email(f"{local}@{domain}".replace(_CODE, "0" * 14)) is None or len(local) > 50:
            raise ValueError(
                "is not an e-mail address like sales+{code}@firm.example, at most 50 characters before the @"
            )
        return f"{local}@{domain}"


class MessengersPart(BaseModel):
    """Links to messengers carry the visit's code; ``text`` is what a first message says before it."""

    model_config = STRICT

    text: Line | None = None


def messengers_asked(given: Any) -> Any:
    """Read ``true`` as the usual words, and ``false`` as none."""
    if given is not None and not isinstance(given, bool | dict):
        raise ValueError("is true, false, or {text: what a first message says}")
    return {} if given is True else None if given is False else given
