"""`event.*` and the catalogue of events (sheet sections 6.1, 6.4)."""

from typing import Any
from urllib.parse import urlsplit

from sandbox.bitrix24.errors import Refusal, core
from sandbox.bitrix24.model import Handler
from sandbox.bitrix24.php import is_yes
from sandbox.bitrix24.turn import Method, Methods, Turn

VERBS = ("ADD", "UPDATE", "DELETE")
CRM_THINGS = (
    *("LEAD", "DEAL", "CONTACT", "COMPANY", "DYNAMICITEM", "ACTIVITY", "TIMELINECOMMENT"),
    *("LEADUSERFIELD", "DEALUSERFIELD", "CONTACTUSERFIELD", "COMPANYUSERFIELD"),
)
EVENTS: dict[str, tuple[str, ...]] = {
    "": (
        *("ONAPPINSTALL", "ONAPPUPDATE", "ONAPPUNINSTALL", "ONAPPPAYMENT", "ONAPPMETHODCONFIRM", "ONAPPTEST"),
        "ONOFFLINEEVENT",
    ),
    "crm": (
        *(f"ONCRM{thing}{verb}" for thing in CRM_THINGS for verb in VERBS),
        *(f"ONCRM{thing}USERFIELDSETENUMVALUES" for thing in ("LEAD", "DEAL", "CONTACT", "COMPANY")),
        *(f"ONCRMDYNAMICITEM{verb}_31" for verb in VERBS),
        "ONCRMDEALMOVETOCATEGORY",
    ),
    "telephony": (
        *("ONVOXIMPLANTCALLINIT", "ONVOXIMPLANTCALLSTART", "ONVOXIMPLANTCALLEND"),
        *("ONEXTERNALCALLSTART", "ONEXTERNALCALLBACKSTART"),
    ),
    "sale": ("ONPAYMENTENTITYSAVED",),
}


def catalogue(turn: Turn) -> list[str]:
    """events: the names of a scope, of every scope, or of what was granted."""
    scope = turn.get("SCOPE")
    if scope is not None:
        return list(EVENTS.get(str(scope), ()))
    everything = is_yes(turn.get("FULL"))
    return [
        name for scope, names in EVENTS.items() if everything or not scope or scope in turn.scopes for name in names
    ]


def bind(turn: Turn) -> bool:
    """event.bind: a handler of an event, online or offline."""
    event = str(turn.needed("event")).upper()
    if event not in {name for scope in ("", *turn.scopes) for name in EVENTS.get(scope, ())}:
        raise Refusal(400, "ERROR_EVENT_NOT_FOUND", "Event not found")
    auth_type = turn.number("auth_type") or 0
    is_offline = turn.text("event_type").lower() == "offline"
    if is_offline:
        turn.admins_only("Access denied! Offline events binding requires administrator access rights")
    if auth_type and auth_type != turn.user_id:
        turn.admins_only("Access denied! Event binding with AUTH_TYPE requires administrator access rights")
    handler = "" if is_offline else _address(str(turn.needed("handler")))
    handlers, most = turn.portal.sender.handlers, int(turn.portal.dial["most_handlers"])
    same = [one for one in handlers if one.event == event and one.is_offline == is_offline]
    connector = turn.text("auth_connector")
    if any((one.handler, one.auth_type, one.connector) == (handler, auth_type, connector) for one in same):
        raise core(turn.portal.dial["handler_bound_text"])
    if most and len(same) >= most:
        raise core("Unable to set event handler: too many handlers")
    id_ = turn.portal.ids.next("handler")
    handlers.append(Handler(id_, event, handler, auth_type, is_offline, connector, turn.map("options")))
    turn.portal.changes += 1
    return True


def _address(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"}:
        raise Refusal(400, "ERROR_UNSUPPORTED_PROTOCOL", "Unsupported event handler protocol")
    if not parts.hostname:
        raise Refusal(400, "ERROR_WRONG_HANDLER_URL", "Wrong handler URL")
    return url


def bound(turn: Turn) -> list[dict[str, Any]]:
    """event.get: every handler of the app."""
    return [
        {
            "event": one.event,
            "handler": one.handler,
            "auth_type": str(one.auth_type),
            "offline": int(one.is_offline),
            **({"connector_id": one.connector} if one.connector else {}),
        }
        for one in turn.portal.sender.handlers
    ]


def unbind(turn: Turn) -> dict[str, int]:
    """event.unbind: the handlers of an event that fit what is told."""
    event = str(turn.needed("event")).upper()
    handler, auth_type = turn.text("handler"), turn.number("auth_type")
    is_offline = turn.text("event_type").lower() == "offline"

    def fits(one: Handler) -> bool:
        if one.event != event or one.is_offline != is_offline:
            return False
        return (is_offline or handler in ("", one.handler)) and auth_type in (None, one.auth_type)

    handlers = turn.portal.sender.handlers
    gone = [one for one in handlers if fits(one)]
    turn.portal.sender.handlers = [one for one in handlers if one not in gone]
    turn.portal.changes += bool(gone)
    return {"count": len(gone)}


def test(turn: Turn) -> int:
    """event.test: sends what was asked back to the handlers of ONAPPTEST."""
    echo = {"QUERY": {key: value for key, value in turn.params.items() if key != "auth"}, "LANGUAGE_ID": "ru"}
    turn.portal.sender.tell("ONAPPTEST", echo, turn)
    turn.portal.changes += 1
    return 1


METHODS: Methods = {
    "events": Method(catalogue, (), app_only=True),
    "event.bind": Method(bind, (), app_only=True),
    "event.get": Method(bound, (), app_only=True),
    "event.unbind": Method(unbind, (), app_only=True),
    "event.test": Method(test, (), app_only=True),
}
