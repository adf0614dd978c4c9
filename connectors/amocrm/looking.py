"""Looks before anything is created: what an earlier attempt left, who the caller is, and which deal is his [3.8, 6]."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial

from connectors.amocrm import incoming, parts
from connectors.amocrm.account import Fields
from connectors.amocrm.api import Api, Json, linked, whole
from connectors.amocrm.find import (
    call_note,
    carries,
    deal_ids,
    deals,
    is_of,
    known_deal,
    marked_deal,
    marked_task,
    people,
    text_note,
    with_deals,
)
from connectors.amocrm.search import Search
from connectors.amocrm.work import CALL_STEP, Work, first, task_step, text_step
from connectors.changes import OLDER_BY
from connectors.deciding import asks_who_was_there, decide, decide_made, decide_on
from connectors.protocol import Decision, Delivery, Known, Status, Why
from connectors.telling import Said
from connectors.together import side_by_side

SAME_MOMENT_S = 5  # a contact created together with its deal

_DEAL_GONE = Said("deal_gone")


class Look:
    """The looks of one batch; what they find is told to each ``Work``."""

    def __init__(self, api: Api, fields: Fields, search: Search) -> None:
        self._api, self._fields, self._search = api, fields, search

    async def for_deal(self, work: Work) -> None:
        """Find the deal earlier attempts created or wrote to, by its id or by our marker."""
        known = next((ref.id for ref in work.delivery.known if ref.kind == "deal"), None)
        is_left = False
        if known:
            deal = await self._api.deal(known)
            if deal is None or deal.get("is_deleted"):
                work.trouble(Status.REJECTED, Why.INVALID, _DEAL_GONE)
                return
        else:
            deal = await marked_deal(self._api, work.delivery.marker, self._fields.marker)
            if deal is None and incoming.is_asked(work):
                deal = await incoming.left_behind(self._api, work.delivery)
                is_left = True
            if deal is not None and deal.get("is_deleted"):
                work.trouble(Status.REJECTED, Why.INVALID, _DEAL_GONE)
                return
        if deal is not None:
            await self._settle(work, deal, is_left=is_left)

    async def _settle(self, work: Work, deal: Json, *, is_left: bool = False) -> None:
        """Take ``deal`` as the one of this delivery; which rule was followed depends on who made it.

        What ``is_left`` in unsorted was made by us, even if not more is told of it than that it is there.
        """
        work.found_deal(deal)
        contact, company = first(linked(deal, "contacts")), first(linked(deal, "companies"))
        if contact is not None:
            work.hold("contact", str(contact["id"]))
        ours = is_left or (carries(deal, work.delivery.marker, self._fields.marker) and not _is_older(deal, work))
        work.follow(await self._first(work, deal) if ours else self._on(work, deal))
        if company is not None and work.company_name:
            work.hold("company", str(company["id"]))

    def _on(self, work: Work, deal: Json) -> Decision:
        """Decide for a deal that is there as an earlier attempt did, else as for an open one."""
        before, id_ = work.delivery.decided, str(deal["id"])
        if before is not None and before.deal is not None and before.deal.id == id_:
            return before
        return decide_on(work.delivery.what, replace(known_deal(id_, deal), outcome="open"), work.contact or "")

    async def _first(self, work: Work, deal: Json) -> Decision:
        """Return what an earlier attempt that made ``deal`` decided: by what there is besides what it made."""
        plan, contact = work.delivery.what, work.contact
        if contact is None or not asks_who_was_there(plan):
            return decide_made(plan, ())
        card = await self._api.contact(contact) or {"id": contact}
        if abs(whole(card.get("created_at")) - whole(deal.get("created_at"))) <= SAME_MOMENT_S:
            return decide_made(plan, ())
        others = [id_ for id_ in deal_ids(card) if id_ != str(deal["id"])]
        return decide_made(plan, people([card], await deals(self._api, others)))

    async def for_callers(self, works: Sequence[Work]) -> None:
        """Find contacts and their deals for all works together, then decide each caller's state.

        Whom the hub's index knows, and whom it knows to be new, nobody has to search for.
        """
        searched = []
        for work in works:
            if (vouched := _vouched(work.delivery)) is None:
                searched.append(work)
            else:
                self._decide(work, vouched, {})
        await self._search_for(searched)

    async def _search_for(self, works: Sequence[Work]) -> None:
        await self._search.prepare(len(works))
        contacts: dict[str, list[Json]] = {}

        async def search(work: Work) -> None:
            contacts[work.delivery.id] = await self._contacts(work.delivery)

        await side_by_side(partial(search, work) for work in works)
        ids = [id_ for work in works for one in contacts[work.delivery.id] for id_ in deal_ids(one)]
        known = await deals(self._api, ids)
        for work in works:
            found = contacts[work.delivery.id]
            mine = [known[id_] for one in found for id_ in deal_ids(one) if id_ in known]
            left = await self._left_behind(work, mine)
            if left is not None:
                await self._settle(work, left)
            else:
                self._decide(work, people(found, known), known)

    async def _contacts(self, delivery: Delivery) -> list[Json]:
        """Return the caller's contacts; what the hub saw made lately counts before the search shows it."""
        enquiry = delivery.what.enquiry
        found = await self._search.contacts_of(enquiry)
        recent = [ref.id for ref in delivery.nearby if ref.kind == "contact"]
        for id_ in [] if found else dict.fromkeys(recent):
            contact = await self._api.contact(id_)
            if contact is not None and is_of(contact, enquiry):
                found.append(contact)
        deals_made = [ref.id for ref in delivery.nearby if ref.kind == "deal"]
        return [with_deals(contact, deals_made) if str(contact["id"]) in recent else contact for contact in found]

    async def _left_behind(self, work: Work, mine: Sequence[Json]) -> Json | None:
        """Return the caller's deal on which an attempt in doubt left our mark."""
        if not work.delivery.in_doubt:
            return None
        marker = work.delivery.marker
        marked = [deal for deal in mine if carries(deal, marker, self._fields.marker)]
        for deal in [] if marked else mine:
            notes = await self._api.notes(str(deal["id"]))
            if call_note(notes, marker) or text_note(notes, marker):
                marked = [deal]
                break
        return marked[0] if marked else None

    def _decide(self, work: Work, found: Sequence[Known], read: Mapping[str, Json]) -> None:
        decision = decide(work.delivery.what, found)
        work.follow(decision)
        work.contact = decision.contact
        if decision.contact:
            work.refer("contact", decision.contact)
        deal = decision.deal
        if deal and work.create_deal is None and work.actions:
            work.found_deal(read.get(deal.id) or {"id": int(deal.id), "responsible_user_id": deal.responsible})

    async def for_steps(self, work: Work, deal: str) -> None:
        """Note which notes and tasks of this delivery are on the deal already."""
        marker = work.delivery.marker
        notes = await self._api.notes(deal) if work.notes else []
        tasks = await self._api.tasks(deal) if work.tasks else []
        if found := call_note(notes, marker):
            work.finish(CALL_STEP, "note", found)
        for index in range(len(work.notes)):
            if found := text_note(notes, parts.mark(work.delivery, index)):
                work.finish(text_step(index), "note", found)
        for index in range(len(work.tasks)):
            if found := marked_task(tasks, deal, parts.mark(work.delivery, index)):
                work.finish(task_step(index), "task", found)


def _vouched(delivery: Delivery) -> tuple[Known, ...] | None:
    """Return the person's contacts where the index is sure of them and has seen what was made for him lately."""
    people = delivery.people
    if people is None or delivery.in_doubt or delivery.known:
        return None
    seen = {("contact", one.contact) for one in people} | {("deal", deal.id) for one in people for deal in one.deals}
    made = {(ref.kind, ref.id) for ref in delivery.nearby if ref.kind in ("contact", "deal")}
    return tuple(map(_readable, people)) if made <= seen else None


def _readable(known: Known) -> Known:
    return replace(known, deals=tuple(deal for deal in known.deals if deal.id.isdigit()))


def _is_older(deal: Json, work: Work) -> bool:
    """Say whether a deal was there long before its enquiry: then duplicate control has put our mark on it [7]."""
    began = work.delivery.what.enquiry.started_at - OLDER_BY
    return 0 < whole(deal.get("created_at")) < began.timestamp()
