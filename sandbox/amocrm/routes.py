"""Which handler answers which method and path (sheet section 3.1)."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from sandbox.amocrm import (
    calls,
    card_writes,
    cards,
    catalogs,
    complex_leads,
    events,
    fields,
    links,
    notes,
    overview,
    people,
    popups,
    sources,
    tags,
    tasks,
    unsorted,
    webhooks,
    widgets,
)
from sandbox.amocrm.errors import refuse
from sandbox.amocrm.turn import Turn
from sandbox.wire import Answer

Handler = Callable[..., Answer]
KIND = r"(?P<kind>leads|contacts|companies)"
UID = r"(?P<uid>[0-9a-f]{20,})"
ID = r"(?P<id>\d{1,18})"


@dataclass(frozen=True, slots=True)
class Door:
    """One path with its handlers by method."""

    path: re.Pattern[str]
    handlers: dict[str, Handler]


def _door(path: str, **handlers: Handler) -> Door:
    return Door(re.compile(path), handlers)


DOORS = (
    _door("/api/v4/account", GET=overview.show_account),
    _door("/v3/user", GET=people.who_am_i),
    _door("/api/v4/users", GET=people.list_users),
    _door(f"/api/v4/users/{ID}", GET=people.one_user),
    _door("/api/v4/leads/pipelines", GET=overview.list_pipelines),
    _door(f"/api/v4/leads/pipelines/{ID}", GET=overview.one_pipeline),
    _door(f"/api/v4/leads/pipelines/{ID}/statuses", GET=overview.list_statuses),
    _door(rf"/api/v4/leads/pipelines/{ID}/statuses/(?P<status>\d{{1,18}})", GET=overview.one_status),
    _door("/api/v4/leads/loss_reasons", GET=overview.list_loss_reasons),
    _door("/api/v4/leads/unsorted", GET=unsorted.list_unsorted),
    _door("/api/v4/leads/unsorted/(?P<category>sip|forms)", POST=unsorted.add_unsorted),
    _door("/api/v4/leads/unsorted/summary", GET=unsorted.summary),
    _door(rf"/api/v4/leads/unsorted/{UID}", GET=unsorted.one_unsorted),
    _door(rf"/api/v4/leads/unsorted/{UID}/accept", POST=unsorted.accept),
    _door(rf"/api/v4/leads/unsorted/{UID}/link", POST=unsorted.link_unsorted),
    _door(rf"/api/v4/leads/unsorted/{UID}/decline", DELETE=unsorted.decline),
    _door("/api/v4/leads/complex", POST=complex_leads.add_complex),
    _door(f"/api/v4/{KIND}", GET=cards.list_cards, POST=card_writes.add_cards, PATCH=card_writes.patch_cards),
    _door(f"/api/v4/{KIND}/{ID}", GET=cards.one_card, PATCH=card_writes.patch_one_card),
    _door(
        f"/api/v4/{KIND}/custom_fields",
        GET=fields.list_fields,
        POST=fields.add_fields,
        PATCH=fields.patch_fields,
    ),
    _door(
        f"/api/v4/{KIND}/custom_fields/{ID}",
        GET=fields.one_field,
        PATCH=fields.patch_field,
        DELETE=fields.delete_field,
    ),
    _door(f"/api/v4/{KIND}/custom_fields/groups", GET=fields.list_groups, POST=fields.add_groups),
    _door(
        rf"/api/v4/{KIND}/custom_fields/groups/(?P<group>\w+)",
        GET=fields.one_group,
        PATCH=fields.patch_group,
        DELETE=fields.delete_group,
    ),
    _door(f"/api/v4/{KIND}/notes", GET=notes.list_notes, POST=notes.add_notes, PATCH=notes.patch_notes),
    _door(rf"/api/v4/{KIND}/notes/(?P<note>\d{{1,18}})", GET=notes.one_note, PATCH=notes.patch_note),
    _door(f"/api/v4/{KIND}/{ID}/notes", GET=notes.list_notes, POST=notes.add_notes, PATCH=notes.patch_notes),
    _door(rf"/api/v4/{KIND}/{ID}/notes/(?P<note>\d{{1,18}})", GET=notes.one_note, PATCH=notes.patch_note),
    _door(f"/api/v4/{KIND}/link", POST=links.link),
    _door(f"/api/v4/{KIND}/unlink", POST=links.unlink),
    _door(f"/api/v4/{KIND}/links", GET=links.list_mass_links),
    _door(f"/api/v4/{KIND}/{ID}/link", POST=links.link),
    _door(f"/api/v4/{KIND}/{ID}/unlink", POST=links.unlink),
    _door(f"/api/v4/{KIND}/{ID}/links", GET=links.list_links),
    _door(f"/api/v4/{KIND}/tags", GET=tags.list_tags, POST=tags.add_tags),
    _door("/api/v4/calls", POST=calls.add_calls),
    _door("/api/v4/tasks", GET=tasks.list_tasks, POST=tasks.add_tasks, PATCH=tasks.patch_tasks),
    _door(f"/api/v4/tasks/{ID}", GET=tasks.one_task, PATCH=tasks.patch_task),
    _door(
        "/api/v4/sources",
        GET=sources.list_sources,
        POST=sources.add_sources,
        PATCH=sources.patch_sources,
        DELETE=sources.delete_sources,
    ),
    _door(
        f"/api/v4/sources/{ID}",
        GET=sources.one_source,
        PATCH=sources.patch_source,
        DELETE=sources.delete_source,
    ),
    _door("/api/v4/webhooks", GET=webhooks.list_hooks, POST=webhooks.subscribe, DELETE=webhooks.unsubscribe),
    _door("/api/v4/catalogs", GET=catalogs.list_catalogs),
    _door(f"/api/v4/catalogs/{ID}", GET=catalogs.one_catalog),
    _door(f"/api/v4/catalogs/{ID}/custom_fields", GET=catalogs.list_catalog_fields),
    _door(
        f"/api/v4/catalogs/{ID}/elements",
        GET=catalogs.list_elements,
        POST=catalogs.add_elements,
        PATCH=catalogs.patch_elements,
    ),
    _door(
        rf"/api/v4/catalogs/{ID}/elements/(?P<element>\d{{1,18}})",
        GET=catalogs.one_element,
        PATCH=catalogs.patch_element,
    ),
    _door("/api/v4/widgets", GET=widgets.list_widgets),
    _door(
        r"/api/v4/widgets/(?P<code>\w+)",
        GET=widgets.one_widget,
        POST=widgets.install_widget,
        DELETE=widgets.remove_widget,
    ),
    _door("/api/v2/events", POST=popups.show_popup),
    _door("/api/v2/search/by_phone", GET=popups.search_by_phone),
    _door("/api/v4/events", GET=events.list_events),
    _door("/api/v4/events/types", GET=events.list_types),
    _door(r"/api/v4/events/(?P<id>\w+)", GET=events.one_event),
)


def answer_turn(turn: Turn) -> Answer:
    """Finds the door of a request and opens it; no such path is 404, no such method 405."""
    path = turn.ask.path.rstrip("/")
    known = False
    for door in DOORS:
        match = door.path.fullmatch(path)
        if match is None:
            continue
        handler = door.handlers.get(turn.ask.method)
        if handler is not None:
            return handler(turn, **match.groupdict())
        known = True
    if known:
        raise refuse(405, "Method Not Allowed")
    raise refuse(404, f"Cannot {turn.ask.method} {turn.ask.base}{turn.ask.path}")
