"""External lines and the statistics of finished calls (sheet sections 5.2, 5.6)."""

from collections.abc import Callable
from typing import Any

from sandbox.bitrix24.calls import owner_code, portal_number
from sandbox.bitrix24.errors import core
from sandbox.bitrix24.filters import chosen, narrowed, ordered
from sandbox.bitrix24.php import is_yes
from sandbox.bitrix24.store import Call, Line, digits
from sandbox.bitrix24.turn import Listing, Method, Methods, Turn, paged

SCOPES = ("telephony",)
QUICK: dict[str, Callable[[Call], Any]] = {
    "ID": lambda one: one.id,
    "CALL_ID": lambda one: one.call_id,
    "EXTERNAL_CALL_ID": lambda one: one.external_id,
}


def _line(turn: Turn) -> Line:
    number = turn.text("NUMBER")
    found = turn.portal.store.lines.get(digits(number))
    if found is None:
        raise core(f"Could not find line with number {number}")
    return found


def add_line(turn: Turn) -> dict[str, int]:
    """telephony.externalLine.add: a line of the app."""
    number = turn.text("NUMBER")
    if not number:
        raise core("NUMBER should not be empty")
    if digits(number) in turn.portal.store.lines:
        raise core("Line already exists")
    creates = is_yes(turn.get("CRM_AUTO_CREATE", "Y"))
    line = Line(turn.portal.ids.next("line"), number, turn.text("NAME"), creates)
    turn.portal.store.lines[digits(number)] = line
    turn.portal.changes += 1
    return {"ID": line.id}


def lines(turn: Turn) -> list[dict[str, str]]:
    """telephony.externalLine.get: every line of the app."""
    return [
        {"NUMBER": one.number, "NAME": one.name, "CRM_AUTO_CREATE": "Y" if one.creates else "N"}
        for one in turn.portal.store.lines.values()
    ]


def update_line(turn: Turn) -> dict[str, str]:
    """telephony.externalLine.update: another name, or whether its calls make CRM objects."""
    line = _line(turn)
    if turn.get("NAME") is None and turn.get("CRM_AUTO_CREATE") is None:
        raise core("There are no fields to update")
    line.name = turn.text("NAME") or line.name
    line.creates = is_yes(turn.get("CRM_AUTO_CREATE", "Y" if line.creates else "N"))
    turn.portal.changes += 1
    return {"ID": str(line.id)}


def delete_line(turn: Turn) -> list[Any]:
    """telephony.externalLine.delete: takes a line away."""
    del turn.portal.store.lines[digits(_line(turn).number)]
    turn.portal.changes += 1
    return []


def statistic(turn: Turn) -> Listing:
    """voximplant.statistic.get: finished calls."""
    calls = narrowed(turn.portal.store.calls.values(), turn.map("FILTER"), QUICK)
    rows = [_statistic_row(turn, one) for one in calls if one.id]
    order = {(turn.text("SORT") or "ID").upper(): turn.text("ORDER") or "ASC"}
    return paged(turn, ordered(chosen(rows, turn.map("FILTER"), dict.get), order, dict.get))


def _statistic_row(turn: Turn, one: Call) -> dict[str, Any]:
    return {
        "ID": str(one.id),
        "CALL_ID": one.call_id,
        "EXTERNAL_CALL_ID": one.external_id or None,
        "CALL_CATEGORY": "external",
        "PORTAL_USER_ID": str(one.user_id),
        "PORTAL_NUMBER": portal_number(one),
        "PHONE_NUMBER": digits(one.phone),
        "CALL_TYPE": str(one.type),
        "CALL_DURATION": str(one.duration),
        "CALL_START_DATE": turn.clock_text(one.started),
        "CALL_FAILED_CODE": one.code,
        "CALL_FAILED_REASON": one.reason,
        "COST": one.cost,
        "COST_CURRENCY": one.currency,
        "CRM_ENTITY_TYPE": owner_code(one.entity),
        "CRM_ENTITY_ID": str(one.entity[1]) if one.entity else None,
        "CRM_ACTIVITY_ID": str(one.activity_id) if one.activity_id else None,
        "REST_APP_ID": str(one.app_id) if one.app_id else None,
        "REST_APP_NAME": "CallTracking" if one.app_id else None,
        "CALL_RECORD_URL": one.record_url,
        "RECORD_FILE_ID": one.record_id or None,
        "TRANSCRIPT_ID": one.transcript_id or None,
        "TRANSCRIPT_PENDING": "N",
        "SESSION_ID": None,
        "REDIAL_ATTEMPT": None,
        "COMMENT": None,
        "CALL_VOTE": one.vote or None,
        "CALL_LOG": None,
        "RECORD_DURATION": None,
    }


METHODS: Methods = {
    "telephony.externalline.add": Method(add_line, SCOPES, app_only=True),
    "telephony.externalline.get": Method(lines, SCOPES, app_only=True),
    "telephony.externalline.update": Method(update_line, SCOPES, app_only=True),
    "telephony.externalline.delete": Method(delete_line, SCOPES, app_only=True),
    "voximplant.statistic.get": Method(statistic, SCOPES),
}
