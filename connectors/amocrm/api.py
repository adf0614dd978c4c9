"""amoCRM's endpoints as functions: they speak HTTP and have no policy (sheet section 3).

Reading methods return parsed JSON and raise ``ConnectorError``; creating ones return the ``Answer`` for the
caller to judge, since what an answer means depends on what was being created.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from connectors.amocrm.mappings import CALL_NOTES, DEAL_EVENTS, TEXT_NOTES
from connectors.errors import Unreadable
from connectors.http import Answer, Http, Query

Json = dict[str, Any]

READ_S = 20.0  # the SDK's own read time-out [1.5]
CREATE_S = 30.0  # a time-out buys doubt, so creating requests may take long
TOKEN_S = 15.0
PAGE = 250  # most of almost every list [2]
EVENTS_PAGE = 100
_ACCOUNT_WITH = "is_api_filter_enabled"
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
        return await self._create("leads/custom_fields", [dict(field)])

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
        """Return a deal with its contacts, or None when it is gone [3.5]."""
        return _one(await self._read(f"leads/{deal}", {"with": "contacts"}))

    async def deals_found(self, text: str) -> list[Json]:
        """Return deals in which the search finds ``text``; matches loosely [3.5]."""
        found = await self._read("leads", {"query": text, "with": "contacts", "limit": PAGE})
        return embedded(found, "leads")

    async def deals_by_id(self, deals: Sequence[str]) -> list[Json]:
        """Ask for these deals; where the paid filter is off, others come back instead, newest first [0.1]."""
        return await self._by_id("leads", deals, {"with": "contacts"})

    async def contacts_by_id(self, contacts: Sequence[str]) -> list[Json]:
        """Ask for these contacts; where the paid filter is off, others come back instead, newest first [0.1]."""
        return await self._by_id("contacts", contacts, {})

    async def deals_page(self, page: int, limit: int, since: int) -> "tuple[list[Json], bool, Answer]":
        """Return a page of deals, last changed first, whether there is a next one, and the answer itself.

        ``since`` is a hint: it bounds the list where the paid filter is on and is silently ignored elsewhere.
        """
        query: dict[str, str | int | list[str] | list[int]] = {
            "with": "contacts",
            "order[updated_at]": "desc",
            "page": page,
            "limit": limit,
        }
        if since:
            query["filter[updated_at][from]"] = since
        answer = await self._get("leads", query)
        found = answer.read()
        return embedded(found, "leads"), _has_next(found), answer

    async def events_page(self, page: int, since: int) -> tuple[list[Json], bool]:
        """Return a page of deal events not older than ``since``, and whether there is a next one [3.17]."""
        query: Query = {
            "filter[type]": ",".join(DEAL_EVENTS),
            "filter[entity]": "lead",
            "filter[created_at][from]": since,
            "page": page,
            "limit": EVENTS_PAGE,
        }
        found = await self._read("events", query)
        return embedded(found, "events"), _has_next(found)

    async def create_deals(self, deals: Sequence[Json]) -> Answer:
        """Create up to 50 deals with their contacts; the answer is a bare array [3.7]."""
        return await self._create("leads/complex", list(deals))

    async def notes(self, deal: str, most_pages: int = _MOST_PAGES) -> list[Json]:
        """Return the call and text notes of a deal, newest first [3.13]."""
        types = [*CALL_NOTES, *TEXT_NOTES]
        query: Query = {"filter[note_type][]": types, "order[id]": "desc"}
        return await self._whole(f"leads/{deal}/notes", "notes", query, most_pages)

    async def create_notes(self, notes: Sequence[Json]) -> Answer:
        """Create notes on deals; each names its ``entity_id`` [3.13]."""
        return await self._create("leads/notes", list(notes))

    async def tasks(self, deal: str) -> list[Json]:
        """Return the tasks of a deal [3.12]."""
        query: Query = {"filter[entity_type]": "leads", "filter[entity_id][]": [deal]}
        return await self._whole("tasks", "tasks", query)

    async def create_tasks(self, tasks: Sequence[Json]) -> Answer:
        """Create tasks on deals [3.12]."""
        return await self._create("tasks", list(tasks))

    async def _by_id(self, plural: str, ids: Sequence[str], more: Query) -> list[Json]:
        query: Query = {"filter[id][]": list(ids), "order[updated_at]": "desc", "limit": PAGE, **more}
        return embedded(await self._read(plural, query), plural)

    async def _read(self, path: str, query: Query | None = None) -> object:
        return (await self._get(path, query)).read()

    async def _get(self, path: str, query: Query | None = None) -> Answer:
        where = f"{self.address}/api/v4/{path}"
        return await self._http.send("GET", where, query=query, headers=self._headers, timeout=READ_S)

    async def _create(self, path: str, body: object) -> Answer:
        where = f"{self.address}/api/v4/{path}"
        return await self._http.send("POST", where, json=body, headers=self._headers, timeout=CREATE_S, creates=True)

    async def _whole(
        self, path: str, plural: str, query: Query | None = None, most_pages: int = _MOST_PAGES
    ) -> list[Json]:
        found: list[Json] = []
        for page in range(1, most_pages + 1):
            answer = await self._read(path, {**(query or {}), "page": page, "limit": PAGE})
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
