"""The `/_sandbox` routes of Bitrix24: what a person, a checker or the vendor itself would do."""

from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox.admin import plain_json, read_object
from sandbox.bitrix24 import deeds, install
from sandbox.bitrix24.errors import Refusal
from sandbox.bitrix24.portal import Portal
from sandbox.bitrix24.shown import state, totals

Doer = Callable[[Portal, dict[str, Any], str], Awaitable[object] | object]


def control_routes(portal: Portal) -> list[Route]:
    """Returns the vendor's own control routes."""

    async def show_state(request: Request) -> Response:
        return plain_json(state(portal))

    async def show_totals(request: Request) -> Response:
        return plain_json(totals(portal))

    async def show_clock(request: Request) -> Response:
        return plain_json({"now": portal.now(), "text": portal.moment_text(portal.now())})

    async def show_events(request: Request) -> Response:
        sender = portal.sender
        queue = [
            {"destination": one.destination, "event": one.told.get("event"), "due": one.due} for one in sender.queue
        ]
        return plain_json({"handlers": sender.handlers, "queue": queue, "attempts": list(sender.log)})

    return [
        Route("/_sandbox/state", show_state, methods=["GET"]),
        Route("/_sandbox/totals", show_totals, methods=["GET"]),
        Route("/_sandbox/clock", show_clock, methods=["GET"]),
        Route("/_sandbox/events", show_events, methods=["GET"]),
        *(Route(f"/_sandbox/{name}", posted(portal, doer), methods=["POST"]) for name, doer in DOERS.items()),
    ]


def posted(portal: Portal, doer: Doer) -> Callable[[Request], Awaitable[Response]]:
    """Returns the endpoint of one deed; what the deed refuses is a 400 that says why."""

    async def endpoint(request: Request) -> Response:
        base = f"{request.url.scheme}://{request.headers.get('host', '127.0.0.1')}"
        try:
            done = doer(portal, await read_object(request), base)
            return plain_json(await done if isinstance(done, Awaitable) else done)
        except KeyError as error:
            return plain_json({"error": f"Missing or unknown: {error.args[0]}."}, 400)
        except (ValueError, Refusal) as error:
            return plain_json({"error": str(error)}, 400)

    return endpoint


def move_clock(portal: Portal, sent: dict[str, Any], base: str) -> object:
    """Sets the portal's clock ahead of the sandbox's by some seconds more."""
    portal.dial.turn({"clock_skew": portal.dial["clock_skew"] + float(sent["forward"])})
    return {"now": portal.now()}


def mint_token(portal: Portal, sent: dict[str, Any], base: str) -> object:
    """Gives a pair of tokens of the app for an employee: a chain of its own."""
    if sent.get("user_id", 1) not in portal.users:
        raise KeyError("user_id")
    pair = portal.tokens.new_pair(sent.get("user_id", 1))
    return {"access_token": pair.access, "refresh_token": pair.refresh, "expires": int(pair.expires)}


def new_code(portal: Portal, sent: dict[str, Any], base: str) -> object:
    """Gives an authorization code without the browser's way to it."""
    return {"code": portal.tokens.new_code(portal.users[sent.get("user_id", 1)].id)}


def expire_tokens(portal: Portal, sent: dict[str, Any], base: str) -> object:
    """Lets every access token run out now."""
    portal.tokens.expire_access()
    return {"expired": True}


def change_user(portal: Portal, sent: dict[str, Any], base: str) -> object:
    """Changes an employee: dismissed, made an admin, kept from the app, what of the CRM he sees."""
    user = portal.users[sent["id"]]
    for kind, right in sent.get("rights", {}).items():
        if right not in ("all", "own", "none"):
            raise ValueError("A right is all, own or none.")
        user.rights[int(kind)] = right
    for key in ("is_active", "is_admin", "may_use_app", "name", "inner_phone"):
        if key in sent:
            setattr(user, key, sent[key])
    return user


def rename(portal: Portal, sent: dict[str, Any], base: str) -> object:
    """Gives the portal another host; the one it had answers 302 from now on."""
    portal.old_domains.add(portal.domain(base))
    portal.told_domain = str(sent["domain"])
    portal.old_domains.discard(portal.told_domain)
    return {"domain": portal.told_domain, "member_id": portal.member_id}


async def pump(portal: Portal, sent: dict[str, Any], base: str) -> object:
    """Sends the events that are due now."""
    return {"attempts": await portal.sender.pump()}


DOERS: dict[str, Doer] = {
    "clock": move_clock,
    "token": mint_token,
    "code": new_code,
    "expire-tokens": expire_tokens,
    "user": change_user,
    "rename": rename,
    "install": install.install,
    "install-finish": install.finish,
    "open": install.open_page,
    "update-app": install.update,
    "payment-app": install.payment,
    "uninstall": install.uninstall,
    "events/pump": pump,
    "call-method": deeds.call_method,
    "move": deeds.move,
    "amount": deeds.set_amount,
    "delete": deeds.delete,
    "merge": deeds.merge_two,
    "convert": deeds.convert_lead,
    "payment": deeds.add_payment,
    "invoice": deeds.add_invoice,
    "stage": deeds.change_stage,
    "call": deeds.own_call,
    "click-to-call": deeds.click_to_call,
    "callback": deeds.order_callback,
}
