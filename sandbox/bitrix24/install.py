"""The app's life on the portal: install, finish, open, update, uninstall (sheet sections 1.2, 1.4)."""

from typing import TYPE_CHECKING, Any

from sandbox.bitrix24.frame import MAIN, make_frame, post_frame
from sandbox.bitrix24.model import Installation

if TYPE_CHECKING:
    from sandbox.bitrix24.portal import Portal

TIMES = {"once": 1, "late": 1, "twice": 2, "never": 0}


def begin(portal: "Portal", user_id: int) -> Installation:
    """Puts the app on the portal as an admin does; finished at once unless it has an installer page."""
    if portal.installation is not None:
        raise ValueError("The app is installed already.")
    if not portal.users[user_id].is_admin:
        raise ValueError("Only an administrator installs this app.")
    token = portal.ids.hex(32)
    if portal.last_token and portal.dial["reinstall_token"] == "same":
        token = portal.last_token
    finished = not (portal.app.has_page and portal.app.installer_url)
    status = "L" if portal.options.local else "F"
    portal.last_token = token
    portal.installation = Installation(user_id, token, portal.app.scopes, portal.app.version, finished, status)
    portal.changes += 1
    return portal.installation


async def install(portal: "Portal", sent: dict[str, Any], base: str) -> dict[str, Any]:
    """Presses Install: the browser's post to the installer or app page, the server's ONAPPINSTALL."""
    user_id = sent.get("user_id", 1)
    installed = begin(portal, user_id)
    told: dict[str, Any] = {"application_token": installed.application_token, "member_id": portal.member_id}
    send_on_install(portal, user_id, base)
    if portal.app.has_page:
        url = portal.app.installer_url or portal.app.app_url
        told["page"] = await post_frame(portal, make_frame(portal, user_id, url, base))
    return {**told, "finished": portal.installed.finished}


def send_on_install(portal: "Portal", user_id: int, base: str) -> None:
    """Queues ONAPPINSTALL for the app's installation event handler, as often as the dial says."""
    app, knob = portal.app, portal.dial["onappinstall"]
    if not app.has_page:
        address, times, delay = app.install_event_url or app.app_url, 1, 0.0
    else:
        address, times = app.install_event_url, TIMES[knob]
        delay = float(portal.dial["onappinstall_delay"]) if knob == "late" else 0.0
    data = {"VERSION": app.version, "ACTIVE": "Y", "INSTALLED": "Y", "LANGUAGE_ID": "ru"}
    for _ in range(times if address else 0):
        auth = portal.sender.auth(base, user_id, with_refresh=True)
        portal.sender.send(address, {"event": "ONAPPINSTALL", "data": data, "auth": auth}, delay)


async def finish(portal: "Portal", sent: dict[str, Any], base: str) -> dict[str, Any]:
    """Does what `BX24.installFinish()` of the installer page does: opens the gate and loads the app's page."""
    user_id = sent.get("user_id", 1)
    was = portal.installed.finished
    if portal.app.has_page and portal.users[user_id].is_admin:
        portal.installed.finished = True
    portal.changes += 1
    page = None
    if not was and portal.installed.finished:
        page = await post_frame(portal, make_frame(portal, user_id, portal.app.app_url, base))
    return {"finished": portal.installed.finished, "page": page}


async def open_page(portal: "Portal", sent: dict[str, Any], base: str) -> dict[str, Any]:
    """Opens the app or one of its placements in an employee's browser; an admin meets the installer until it is done.

    `{"user_id", "placement", "options", "handler"}`; answers the posts that were made, one per handler.
    """
    user_id, placement = sent.get("user_id", 1), sent.get("placement", MAIN)
    user, installed = portal.users[user_id], portal.installed
    if not installed.finished:
        if not user.is_admin:
            raise ValueError("The application is not fully installed.")
        urls = [portal.app.installer_url or portal.app.app_url]
        placement = MAIN
    elif placement == MAIN:
        urls = [portal.app.app_url]
    else:
        bound = [one for one in portal.placements if one.placement == placement and one.user_id in (0, user_id)]
        urls = [one.handler for one in bound if sent.get("handler") in (None, one.handler)]
    if user.is_admin and portal.dial["scope_change"] == "on_open":
        installed.scopes = portal.app.scopes
    frames = [make_frame(portal, user_id, url, base, placement, sent.get("options")) for url in urls]
    return {"pages": [await post_frame(portal, frame) for frame in frames]}


def update(portal: "Portal", sent: dict[str, Any], base: str) -> dict[str, Any]:
    """Gives the app a new version, with other scopes when told; bindings go as the dial says, ONAPPUPDATE comes."""
    installed, app = portal.installed, portal.app
    addresses = _app_addresses(portal, "ONAPPUPDATE")
    previous = app.version
    app.version = installed.version = previous + 1
    app.scopes = tuple(sent.get("scopes", app.scopes))
    if portal.dial["scope_change"] == "at_once":
        installed.scopes = app.scopes
    if portal.dial["update_keeps"] != "all":
        portal.sender.handlers.clear()
    if portal.dial["update_keeps"] == "nothing":
        portal.placements.clear()
    if portal.dial["update_unfinishes"] and app.installer_url:
        installed.finished = False
    portal.changes += 1
    data = {"VERSION": app.version, "PREVIOUS_VERSION": previous, "LANGUAGE_ID": "ru"}
    for address in addresses:
        auth = portal.sender.auth(base, installed.user_id, with_refresh=True)
        portal.sender.send(address, {"event": "ONAPPUPDATE", "data": data, "auth": auth})
    return {"version": app.version, "told": addresses}


def uninstall(portal: "Portal", sent: dict[str, Any], base: str) -> dict[str, Any]:
    """Takes the app away: its tokens, handlers, placements and field types go, ONAPPUNINSTALL comes without tokens."""
    addresses = _app_addresses(portal, "ONAPPUNINSTALL")
    clean = bool(sent.get("clean", False))
    told = {
        "event": "ONAPPUNINSTALL",
        "data": {"LANGUAGE_ID": "ru", "CLEAN": int(clean)},
        "auth": portal.sender.whereabouts(base),
    }
    portal.tokens.end_all()
    portal.sender.handlers.clear()
    portal.placements.clear()
    portal.field_types.clear()
    if clean:
        portal.options_of_app.clear()
    portal.installation = None
    portal.changes += 1
    for address in addresses:
        portal.sender.send(address, told)
    return {"told": addresses}


def payment(portal: "Portal", sent: dict[str, Any], base: str) -> dict[str, Any]:
    """Tells the app about its licence: ONAPPPAYMENT, without application_token."""
    app, installed = portal.app, portal.installed
    addresses = _app_addresses(portal, "ONAPPPAYMENT")
    data = {"CODE": app.code, "VERSION": app.version, "STATUS": sent.get("status", installed.status)}
    data |= {"PAYMENT_EXPIRED": sent.get("expired", "N"), "DAYS": sent.get("days", ""), "LANGUAGE_ID": "ru"}
    auth = portal.sender.whereabouts(base)
    del auth["application_token"]
    for address in addresses:
        portal.sender.send(address, {"event": "ONAPPPAYMENT", "data": data, "auth": auth})
    return {"told": addresses}


def _app_addresses(portal: "Portal", event: str) -> list[str]:
    """The registered callback and whatever was bound to the event, each once."""
    bound = [one.handler for one in portal.sender.handlers if one.event == event]
    return list(dict.fromkeys([address for address in (portal.app.install_event_url, *bound) if address]))
