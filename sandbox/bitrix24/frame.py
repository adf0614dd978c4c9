"""What a browser posts into the app's iframe: installer, main page, placements (sheet sections 1.3, 7.3)."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

import httpx
import orjson

from sandbox.bitrix24.php import form
from sandbox.bitrix24.sender import FORM

if TYPE_CHECKING:
    from sandbox.bitrix24.portal import Portal

MAIN = "DEFAULT"
WANTED = ("content-type", "content-security-policy", "x-frame-options", "set-cookie", "location", "referrer-policy")


@dataclass(frozen=True, slots=True)
class Frame:
    """One iframe: where the browser posts, and the form."""

    url: str
    fields: dict[str, str]
    sid_parts: tuple[str, ...] = ()  # domain, protocol and session, which name the browser's frame

    @property
    def body(self) -> str:
        """The form as a body."""
        return form(self.fields)


def make_frame(
    portal: "Portal", user_id: int, url: str, base: str, placement: str = MAIN, options: dict[str, Any] | None = None
) -> Frame:
    """Returns the iframe of an employee: fresh tokens of his own, as every opening has."""
    installed = portal.installed
    pair = portal.tokens.new_pair(user_id)
    secure = urlsplit(base).scheme == "https"
    query = {"DOMAIN": portal.domain(base), "PROTOCOL": "1" if secure else "0", "LANG": "ru"}
    query["APP_SID"] = portal.ids.hex(32)
    fields = {
        "AUTH_ID": pair.access,
        "AUTH_EXPIRES": str(int(portal.dial["access_ttl"])),
        "REFRESH_ID": pair.refresh,
        "SERVER_ENDPOINT": portal.server_endpoint(base),
        "APPLICATION_TOKEN": installed.application_token,
        "APPLICATION_SCOPE": ",".join(installed.scopes),
        "member_id": portal.member_id,
        "status": installed.status,
        "PLACEMENT": placement,
        "PLACEMENT_OPTIONS": orjson.dumps(options or []).decode(),
    }
    if not portal.dial["frame_application_token"]:
        del fields["APPLICATION_TOKEN"]
    glue = "&" if "?" in url else "?"
    return Frame(f"{url}{glue}{urlencode(query)}", fields, (query["DOMAIN"], query["PROTOCOL"], query["APP_SID"]))


async def post_frame(portal: "Portal", frame: Frame) -> dict[str, Any]:
    """Posts the form as the browser does and returns what the app answered."""
    headers = {"Content-Type": FORM, "User-Agent": "Mozilla/5.0 (sandbox browser)"}
    told: dict[str, Any] = {"url": frame.url, "form": frame.fields}
    try:
        answer = await portal.sender.client.post(frame.url, content=frame.body, headers=headers, timeout=30)
    except (httpx.HTTPError, httpx.InvalidURL, UnicodeError) as error:
        return {**told, "status": 0, "error": str(error) or type(error).__name__}
    shown = {name: answer.headers[name] for name in WANTED if name in answer.headers}
    return {**told, "status": answer.status_code, "headers": shown, "body": answer.text}
