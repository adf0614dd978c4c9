"""amoCRM's endpoints as functions: they speak HTTP and have no policy (sheet section 3).

Reading methods return parsed JSON and raise ``ConnectorError``; creating ones return the ``Answer`` for the
caller to judge, since what an answer means depends on what was being created.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from connectors.amocrm.mappings import CALL_NOTES, STAGE_EVENT, TEXT_NOTES
from connectors.changes import ROBOT
from connectors.errors import Unreadable
from connectors.http import Answer, Http, Query

Json = dict[str, Any]

READ_S = 20.0  # the SDK's own read time-out [1.5]
CREATE_S = 30.0  # a time-out buys doubt, so creating requests may take long
TOKEN_S = 15.0
POPUP_S = 5.0  # later nobody needs it any more
PAGE = 250  # most of almost every list [2]
EVENTS_PAGE = 100
_ACCOUNT_WITH = "is_api_filter_enabled,invoices_settings"
_DEAL_WITH = "contacts,catalog_elements"
_MOST_PAGES = 40


class Api:
    """One account's endpoints, with its access token."""

    def __init__(self, http: Http, address: str, token: str) -> None:
        self._http = http
        self.address = address
        self._headers = {"authorization": f"Bearer {token}"}

    async def account(self) -> Json:
        """Return the account with the flags we need [3.2]."""
        return _object(await self._read("account", {"with": _ACCOUNT_WITH}))

    async def pipelines(self) -> list[Json]:
        """Return all pipelines with their stages [3.4]."""
        return embedded(await self._read("leads/pipelines"), "pipelines")

    async def users(self) -> list[Json]:
        """Return all users; 403 without admin rights [3.3]."""
        return await self._whole("users", "users")

    async def deal_fields(self) -> list[Json]:
        """Return all fields of deals, whatever the size of a page [3.10]."""
        return await self._whole("leads/custom_fields", "custom_fields")

    async def create_deal_field(self, field: Mapping[str, object]) -> Answer:
        """Create one field of deals; 201 [3.10]."""
        return await self.create_deal_fields([field])

    async def create_deal_fields(self, fields: Sequence[Mapping[str, object]]) -> Answer:
        """Create fields of deals; 201 with the whole fields [3.10]."""
        return await self._create("leads/custom_fields", [dict(field) for field in fields])

    async def deal_groups(self) -> list[Json]:
        """Return the groups of deal fields, which are the tabs of the card [3.10]."""
        return embedded(await self._read("leads/custom_fields/groups"), "custom_field_groups")

    async def create_deal_group(self, group: Mapping[str, object]) -> Answer:
        """Create a group of deal fields; 201 [3.10]."""
        return await self._create("leads/custom_fields/groups", [dict(group)])

    async def hooks(self) -> list[Json]:
        """Return the webhooks of the account; without admin rights they are refused [4.1]."""
        return await self._whole("webhooks", "webhooks")

    async def subscribe(self, address: str, events: Sequence[str]) -> Answer:
        """Subscribe an address to events, or change what it is subscribed to; 201 [4.1]."""
        return await self._create("webhooks", {"destination": address, "settings": list(events), "sort": 10})

    async def unsubscribe(self, address: str) -> Answer:
        """Take a subscription away: 204, or 404 where there is none [4.1]."""
        where = f"{self.address}/api/v4/webhooks"
        body = {"destination": address}
        return await self._http.send("DELETE", where, json=body, headers=self._headers, timeout=CREATE_S, creates=True)

    async def contacts(self, text: str) -> list[Json]:
        """Return contacts in which the search finds ``text``, with their deals; matches loosely [3.8]."""
        found = await self._read("contacts", {"query": text, "with": "leads", "limit": PAGE})
        return embedded(found, "contacts")

    async def oldest_contacts(self) -> list[Json]:
        """Return the contacts that were made first, a page of them."""
        found = await self._read("contacts", {"order[id]": "asc", "limit": PAGE})
        return embedded(found, "contacts")

    async def contact(self, contact: str) -> Json | None:
        """Return a contact with the ids of its deals, or None when it is gone."""
        return _one(await self._read(f"contacts/{contact}", {"with": "leads"}))

    async def deal(self, deal: str) -> Json | None:
        """Return a deal with its contacts and invoices, or None when it is gone [3.5]."""
        return _one(await self._read(f"leads/{deal}", {"with": _DEAL_WITH}))

    async def deals_found(self, text: str) -> list[Json]:
        """Return deals in which the search finds ``text``; matches loosely [3.5]."""
        found = await self._read("leads", {"query": text, "with": "contacts", "limit": PAGE})
        return embedded(found, "leads")

    async def deals_by_id(self, deals: Sequence[str]) -> list[Json]:
        """Ask for these deals; where the paid filter is off, others come back instead, newest first [0.1]."""
        return await self._by_id("leads", deals, {"with": _DEAL_WITH})

    async def contacts_by_id(self, contacts: Sequence[str]) -> list[Json]:
        """Ask for these contacts; where the paid filter is off, others come back instead, newest first [0.1]."""
        return await self._by_id("contacts", contacts, {})

    async def deals_page(self, page: int, limit: int, since: int) -> "tuple[list[Json], bool, Answer]":
        """Return a page of deals, last changed first, whether there is a next one, and the answer itself.

        ``since`` is a hint: it bounds the list where the paid filter is on and is silently ignored elsewhere.
        """
        return await self._changed("leads", {"with": _DEAL_WITH}, page, limit, since)

    async def contacts_page(self, page: int, limit: int, since: int) -> "tuple[list[Json], bool, Answer]":
        """Return a page of contacts like ``deals_page`` does of deals [3.8]."""
        return await self._changed("contacts", {}, page, limit, since)

    async def events_page(self, page: int, since: int, types: Sequence[str], entity: str) -> tuple[list[Json], bool]:
        """Return a page of events not older than ``since``, and whether there is a next one [3.17]."""
        query: Query = {
            "filter[type]": ",".join(types),
            "filter[entity]": entity,
            "filter[created_at][from]": since,
            "page": page,
            "limit": EVENTS_PAGE,
        }
        found = await self._read("events", query)
        return embedded(found, "events"), _has_next(found)

    async def invoices_page(self, catalog: int, page: int, limit: int) -> tuple[list[Json], bool]:
        """Return a page of invoices, and whether there is a next one; their order is not documented [4.7]."""
        found = await self._read(f"catalogs/{catalog}/elements", {"page": page, "limit": limit})
        return embedded(found, "elements"), _has_next(found)

    async def create_deals(self, deals: Sequence[Json], of: Sequence[str]) -> Answer:
        """Create up to 50 deals with their contacts; the answer is a bare array [3.7]."""
        return await self._create("leads/complex", list(deals), of)

    async def make_main_contacts(self, main_of: Mapping[str, str]) -> Answer:
        """Make contacts the main ones of deals, by deal; one that is so already stays so [3.9]."""
        return await self._create("leads/link", [{**one, "metadata": {"is_main": True}} for one in _links(main_of)])

    async def unlink_contacts(self, of: Mapping[str, str]) -> Answer:
        """Take contacts off deals, by deal; 204 [3.9]."""
        return await self._create("leads/unlink", _links(of))

    async def clear_contacts(self, contacts: Sequence[str], code: str) -> Answer:
        """Take all values of a field off contacts [3.6]."""
        where, told = f"{self.address}/api/v4/contacts", self._headers
        empty = [{"field_code": code, "values": None}]
        body = [{"id": int(contact), "custom_fields_values": empty} for contact in contacts]
        return await self._http.send("PATCH", where, json=body, headers=told, timeout=CREATE_S, creates=True)

    async def change_deals(self, deals: Sequence[Json], of: Sequence[str]) -> Answer:
        """Change what is named of up to 50 deals; the answer may name them by their ids alone [3.6]."""
        where, told = f"{self.address}/api/v4/leads", self._headers
        body = list(deals)
        return await self._http.send("PATCH", where, json=body, headers=told, timeout=CREATE_S, creates=True, of=of)

    async def arrivals(self, deal: str, pipeline: str, stage: str, since: int) -> list[Json]:
        """Return events in which a deal came to a stage since then, maybe others too; filters are free [3.17]."""
        came = "filter[value_after][leads_statuses][0]"
        query: Query = {
            "filter[type]": STAGE_EVENT,
            "filter[entity]": "lead",
            "filter[entity_id][]": [deal],
            "filter[created_at][from]": since,
            f"{came}[pipeline_id]": pipeline,
            f"{came}[status_id]": stage,
        }
        return await self._whole("events", "events", query, limit=EVENTS_PAGE)

    async def notes(self, deal: str, most_pages: int = _MOST_PAGES) -> list[Json]:
        """Return the call and text notes of a deal, newest first [3.13]."""
        types = [*CALL_NOTES, *TEXT_NOTES]
        query: Query = {"filter[note_type][]": types, "order[id]": "desc"}
        return await self._whole(f"leads/{deal}/notes", "notes", query, most_pages)

    async def create_notes(self, notes: Sequence[Json], of: Sequence[str]) -> Answer:
        """Create notes on deals; each names its ``entity_id`` [3.13]."""
        return await self._create("leads/notes", list(notes), of)

    async def waiting(self, page: int) -> tuple[list[Json], bool]:
        """Return a page of what waits in unsorted, last come first, and whether there is a next one [3.14]."""
        found = await self._read("leads/unsorted", {"order[created_at]": "desc", "page": page, "limit": PAGE})
        return embedded(found, "unsorted"), _has_next(found)

    async def deleted_deals_found(self, text: str) -> list[Json]:
        """Return deals of the trash bin in which the search finds ``text``; not much is told of them [3.5]."""
        return embedded(await self._read("leads", {"query": text, "with": "only_deleted", "limit": PAGE}), "leads")

    async def companies(self, name: str) -> list[Json]:
        """Return companies in which the search finds ``name``; matches loosely [3.8]."""
        return embedded(await self._read("companies", {"query": name, "limit": PAGE}), "companies")

    async def newest_companies(self) -> tuple[list[Json], bool]:
        """Return the companies that were made last, and whether there are others [3.8]."""
        found = await self._read("companies", {"order[id]": "desc", "limit": PAGE})
        return embedded(found, "companies"), _has_next(found)

    async def link_contacts(self, links: Sequence[Json], of: Sequence[str]) -> Answer:
        """Link contacts to companies; the answer names both of each pair [3.9]."""
        return await self._create("contacts/link", list(links), of)

    async def popup(self, users: Sequence[int], phone: str) -> Answer:
        """Show the card of whoever has this phone to users, in whatever they have open now [3.13]."""
        body = {"add": [{"type": "phone_call", "phone_number": phone, "users": list(users)}]}
        where, told = f"{self.address}/api/v2/events", self._headers
        return await self._http.send("POST", where, json=body, headers=told, timeout=POPUP_S, creates=True)

    async def tasks(self, deal: str) -> list[Json]:
        """Return the tasks of a deal [3.12]."""
        query: Query = {"filter[entity_type]": "leads", "filter[entity_id][]": [deal]}
        return await self._whole("tasks", "tasks", query)

    async def change_tasks(self, tasks: Sequence[Json], of: Sequence[str]) -> Answer:
        """Change what is named of up to 50 tasks [3.12]."""
        where, told = f"{self.address}/api/v4/tasks", self._headers
        return await self._http.send(
            "PATCH", where, json=list(tasks), headers=told, timeout=CREATE_S, creates=True, of=of
        )

    async def create_tasks(self, tasks: Sequence[Json], of: Sequence[str]) -> Answer:
        """Create tasks on deals [3.12]."""
        return await self._create("tasks", list(tasks), of)

    async def _changed(
        self, plural: str, more: Query, page: int, limit: int, since: int
    ) -> "tuple[list[Json], bool, Answer]":
        bound: Query = {"filter[updated_at][from]": since} if since else {}
        query: Query = {"order[updated_at]": "desc", "page": page, "limit": limit, **more, **bound}
        answer = await self._get(plural, query)
        found = answer.read()
        return embedded(found, plural), _has_next(found), answer

    async def _by_id(self, plural: str, ids: Sequence[str], more: Query) -> list[Json]:
        query: Query = {"filter[id][]": list(ids), "order[updated_at]": "desc", "limit": PAGE, **more}
        return embedded(await self._read(plural, query), plural)

    async def _read(self, path: str, query: Query | None = None) -> object:
        return (await self._get(path, query)).read()

    async def _get(self, path: str, query: Query | None = None) -> Answer:
        where = f"{self.address}/api/v4/{path}"
        return await self._http.send("GET", where, query=query, headers=self._headers, timeout=READ_S)

    async def _create(self, path: str, body: object, of: Sequence[str] = ()) -> Answer:
        """Create for the deliveries ``of``, or for none in particular."""
        where, told = f"{self.address}/api/v4/{path}", self._headers
        return await self._http.send("POST", where, json=body, headers=told, timeout=CREATE_S, creates=True, of=of)

    async def _whole(
        self, path: str, plural: str, query: Query | None = None, most_pages: int = _MOST_PAGES, limit: int = PAGE
    ) -> list[Json]:
        found: list[Json] = []
        for page in range(1, most_pages + 1):
            answer = await self._read(path, {**(query or {}), "page": page, "limit": limit})
            items = embedded(answer, plural)
            found += items
            if not items or not _has_next(answer):
                break
        return found


async def token(http: Http, address: str, asked: Mapping[str, str]) -> Answer:
    """Ask the token endpoint; ``asked`` carries the secret, the grant type and its code or token [1.4]."""
    where = f"{address}/oauth2/access_token"
    return await http.send("POST", where, json=dict(asked), timeout=TOKEN_S, creates=True)


async def current_domain(http: Http, address: str, refresh_token: str) -> Answer:
    """Ask where a renamed account lives now; the refresh token is not spent [1.6]."""
    where = f"{address}/oauth2/account/current/subdomain"
    return await http.send("GET", where, headers={"x-refresh-token": refresh_token}, timeout=TOKEN_S)


def _links(contacts: Mapping[str, str]) -> list[Json]:
    return [
        {"entity_id": int(deal), "to_entity_id": int(contact), "to_entity_type": "contacts"}
        for deal, contact in contacts.items()
    ]


def embedded(found: object, plural: str) -> list[Json]:
    """Return the objects under ``_embedded``; a 204 (None) is an empty list [5.1]."""
    if found is None:
        return []
    inner = _object(found).get("_embedded")
    items = inner.get(plural) if isinstance(inner, dict) else None
    if not isinstance(items, list):
        raise Unreadable(f"the answer has no list of {plural}")
    return [item for item in items if isinstance(item, dict)]


def linked(item: Json, plural: str) -> Iterator[Json]:
    """Yield what is embedded in one object, e.g. the contacts of a deal; nothing when it is absent."""
    inner = item.get("_embedded")
    items = objects(inner.get(plural)) if isinstance(inner, dict) else []
    yield from (found for found in items if isinstance(found.get("id"), int | str))


def objects(found: object) -> list[Json]:
    """Return the objects of a list, and nothing of anything else."""
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def whole(found: object) -> int:
    """Return a whole number as it is, and 0 for anything else."""
    return found if isinstance(found, int) else 0


def author(card: Json) -> str | None:
    """Return who made a card: a user, or the robot, which the vendor numbers 0 [3.6]; None where it is not told."""
    made_by = card.get("created_by")
    return (str(made_by) if made_by else ROBOT) if isinstance(made_by, int) else None


def ids_within(found: object, depth: int = 6) -> list[object]:
    """Return every value called ``id`` inside a side of an event, down to ``depth`` [3.17]."""
    if depth == 0:
        return []
    if isinstance(found, list):
        return [id_ for one in found for id_ in ids_within(one, depth - 1)]
    if not isinstance(found, dict):
        return []
    own = [found["id"]] if isinstance(found.get("id"), int | str) else []
    return own + [id_ for one in found.values() for id_ in ids_within(one, depth - 1)]


def _has_next(found: object) -> bool:
    links = found.get("_links") if isinstance(found, dict) else None
    return isinstance(links, dict) and bool(links.get("next"))


def _object(found: object) -> Json:
    if not isinstance(found, dict):
        raise Unreadable("the answer is not an object")
    return found


def _one(found: object) -> Json | None:
    if found is None:
        return None
    one = _object(found)
    return one if one.get("id") is not None else None
