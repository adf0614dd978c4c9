"""What a card shows a person, in his words; the rest is for who looks under the cover."""

from typing import Any

from sandbox.bitrix24.model import Item
from sandbox.bitrix24.portal import Portal
from sandbox.bitrix24.schema import money_text

LABELS = {
    "opportunity": "Сумма",
    "assignedById": "Ответственный",
    "sourceId": "Источник",
    "sourceDescription": "Дополнительно об источнике",
    "comments": "Комментарий",
    "utmSource": "UTM Source",
    "utmMedium": "UTM Medium",
    "utmCampaign": "UTM Campaign",
    "utmContent": "UTM Content",
    "utmTerm": "UTM Term",
}
USER_FIELD = "UF_CRM_"
Line = tuple[str, str]


def shown(portal: Portal, item: Item) -> list[Line]:
    """Returns the lines of a card that say something: label and words."""
    labels = LABELS | {one.name: _label(one.labels, one.name) for one in portal.user_fields.values()}
    there = {name: value for name, value in item.values.items() if value not in (None, "", 0, [], False)}
    return [(label, _said(portal, name, there[name])) for name, label in labels.items() if name in there]


def hidden(item: Item) -> list[Line]:
    """Returns what no card shows: ids, times, marks."""
    names = (name for name in item.values if name not in LABELS and not name.startswith(USER_FIELD))
    return [(name, str(item.values[name])) for name in names if item.values[name] not in (None, "", 0)]


def _label(labels: dict[str, str], name: str) -> str:
    return labels.get("ru") or next(iter(labels.values()), name)


def _said(portal: Portal, name: str, value: Any) -> str:
    if name == "opportunity":
        return str(money_text(value))
    if name == "assignedById":
        user = portal.users.get(int(value))
        return f"{user.name} {user.last_name}" if user else str(value)
    if name == "sourceId":
        known = (one.name for one in portal.statuses if (one.entity_id, one.status_id) == ("SOURCE", value))
        return next(known, str(value))
    return str(value)
