"""What a checker sees of the portal: everything stored, and counts of it."""

from typing import Any

from sandbox.bitrix24.model import CODES, CONTACT, DEAL, LEAD, Item
from sandbox.bitrix24.portal import Portal


def state(portal: Portal) -> dict[str, object]:
    """Returns everything stored; money in minor units, moments in epoch seconds."""
    store = portal.store
    items = {CODES[kind].lower(): [item_row(one) for one in held.values()] for kind, held in store.items.items()}
    return {
        "portal": {
            "member_id": portal.member_id,
            "domain": portal.told_domain,
            "old_domains": sorted(portal.old_domains),
            "unknown_methods": portal.unknown_methods,
        },
        "app": portal.app,
        "installation": portal.installation,
        "users": list(portal.users.values()),
        **items,
        "activities": list(store.activities.values()),
        "comments": list(store.comments.values()),
        "history": store.history,
        "tasks": list(store.tasks.values()),
        "traces": list(store.traces.values()),
        "payments": list(store.payments.values()),
        "calls": list(store.calls.values()),
        "lines": list(store.lines.values()),
        "shown": store.shown,
        "triggered": store.triggered,
        "statuses": portal.statuses,
        "categories": portal.categories,
        "user_fields": list(portal.user_fields.values()),
        "placements": portal.placements,
        "field_types": list(portal.field_types.values()),
        "handlers": portal.sender.handlers,
        "offline": portal.offline.events,
    }


def item_row(item: Item) -> dict[str, Any]:
    """Returns one CRM object with phones and linked contacts."""
    return {"kind": item.kind, "id": item.id, **item.values, "fm": item.fm, "contactIds": item.links}


def totals(portal: Portal) -> dict[str, int]:
    """Counts what is stored; sums in minor units."""
    store = portal.store
    deals = list(store.items[DEAL].values())
    won = [one for one in deals if one.values.get("stageSemanticId") == "S"]
    return {
        "leads": len(store.items[LEAD]),
        "deals": len(deals),
        "contacts": len(store.items[CONTACT]),
        "activities": len(store.activities),
        "comments": len(store.comments),
        "tasks": len(store.tasks),
        "calls": len(store.calls),
        "won": len(won),
        "won_minor_units": sum(one.values.get("opportunity") or 0 for one in won),
    }
