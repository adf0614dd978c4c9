"""Delivers a batch of plans: look, create deals with contacts, write notes, create tasks.

In as few requests as the API allows: one or more searches per caller, then deals, notes and tasks in shared
requests. Steps that succeeded are always reported, and looked for before they are ever repeated (sheet
section 6).
"""

from collections.abc import Callable, Mapping, Sequence

from connectors.amocrm import parts
from connectors.amocrm.account import NO_MARKER, Fields
from connectors.amocrm.api import Api, Json, embedded, linked, whole
from connectors.amocrm.find import (
    NOBODY,
    Caller,
    call_note,
    carries,
    choose,
    deal_ids,
    deals,
    is_of,
    marked_deal,
    marked_task,
    text_note,
    with_deals,
)
from connectors.amocrm.mappings import MARKER_CODE
from connectors.amocrm.search import Search
from connectors.amocrm.sending import Part, Portion, Sender
from connectors.amocrm.settings import Settings
from connectors.amocrm.trouble import trouble
from connectors.amocrm.work import CALL_STEP, Kind, Work, first, task_step, text_step
from connectors.errors import ConnectorError, Unreadable
from connectors.protocol import Delivery, InstallationError, Outcome, Status, Why
from connectors.scenario import Action, CallerState, CreateDeal

PER_REQUEST = 50  # notes or tasks [2]
SAME_MOMENT_S = 5  # a contact created together with its deal

_SAME_CALLER = "An earlier delivery of the same caller is in this batch: this one follows it."
_NO_DEAL = "The scenario writes a note or a task, but there is no deal to write it on."
_DEAL_GONE = "The deal this call was written to has been deleted or merged in amoCRM."


class Batch:
    """One call of ``deliver``."""

    def __init__(
        self,
        api: Api,
        fields: Fields,
        settings: Settings,
        search: Search,
        portion: Portion,
        batch: Sequence[Delivery],
    ) -> None:
        self._api = api
        self._fields = fields
        self._settings = settings
        self._search = search
        self._portion = portion
        self._sender = Sender()
        self._works = [Work(delivery, api.address) for delivery in batch]
        _one_per_caller(self._works)

    async def run(self) -> dict[str, Outcome]:
        """Return what is known of each delivery; raises ``InstallationError`` with what was settled."""
        try:
            await self._look()
            await self._create_deals()
            await self._write_notes()
            await self._create_tasks()
        except ConnectorError as error:
            raise self._stopped(trouble(error)) from None
        except InstallationError as error:
            raise self._stopped(error) from None
        return {work.delivery.id: work.result() for work in self._works}

    def _stopped(self, error: InstallationError) -> InstallationError:
        settled = {work.delivery.id: work.interrupted(error.why, error.sentence) for work in self._works}
        outcomes = {id_: outcome for id_, outcome in settled.items() if outcome is not None}
        return InstallationError(error.why, error.sentence, hold=error.hold, outcomes=outcomes)

    # -- look

    async def _look(self) -> None:
        again = [work for work in self._live() if work.looks_first]
        if again:
            await self._fields.ready()
        for work in again:
            await self._look_for_deal(work)
        await self._look_for_callers([work for work in self._live() if work.actions is None])
        for work in self._live():
            if work.looks_first and work.deal:
                await self._look_for_steps(work, work.deal)
            if work.actions and not work.deal and work.create_deal is None:
                work.trouble(Status.REJECTED, Why.INVALID, _NO_DEAL)

    async def _look_for_deal(self, work: Work) -> None:
        """Find the deal earlier attempts created or wrote to, by its id or by our marker."""
        known = next((ref.id for ref in work.delivery.known if ref.kind == "deal"), None)
        if known:
            deal = await self._api.deal(known)
            if deal is None or deal.get("is_deleted"):
                work.trouble(Status.REJECTED, Why.INVALID, _DEAL_GONE)
                return
        else:
            deal = await marked_deal(self._api, work.delivery.marker, self._fields.marker)
        if deal is not None:
            await self._settle(work, deal)

    async def _settle(self, work: Work, deal: Json) -> None:
        """Take ``deal`` as the one of this delivery; which case was running follows from who made it."""
        work.found_deal(deal)
        contact = first(linked(deal, "contacts"))
        if contact is not None:
            work.contact = str(contact["id"])
            work.refer("contact", work.contact)
        ours = carries(deal, work.delivery.marker, self._fields.marker)
        state = await self._first_state(work, deal) if ours else CallerState.OPEN_DEAL
        work.actions = work.delivery.what.cases.get(state, ())

    async def _first_state(self, work: Work, deal: Json) -> CallerState:
        """Return what the caller's state was when an earlier attempt created ``deal``."""
        cases = work.delivery.what.cases
        states = [state for state in CallerState if any(isinstance(one, CreateDeal) for one in cases.get(state, ()))]
        if work.contact is None or CallerState.UNKNOWN not in states:
            return states[0] if states else CallerState.UNKNOWN
        others = [state for state in states if _after_deal(work, state) != _after_deal(work, CallerState.UNKNOWN)]
        if not others:
            return CallerState.UNKNOWN
        contact = await self._api.contact(work.contact) or {}
        apart = abs(whole(contact.get("created_at")) - whole(deal.get("created_at")))
        return CallerState.UNKNOWN if apart <= SAME_MOMENT_S else others[0]

    async def _look_for_callers(self, works: Sequence[Work]) -> None:
        """Find contacts and their deals for all works together, then decide each caller's state."""
        await self._search.prepare(len(works))
        contacts: dict[str, list[Json]] = {}
        for work in works:
            contacts[work.delivery.id] = await self._contacts(work.delivery)
        ids = [id_ for found in contacts.values() for one in found for id_ in deal_ids(one)]
        known = await deals(self._api, ids)
        for work in works:
            found = contacts[work.delivery.id]
            mine = [known[id_] for one in found for id_ in deal_ids(one) if id_ in known]
            left = await self._left_behind(work, mine)
            if left is not None:
                await self._settle(work, left)
            else:
                self._decide(work, choose(found, known) if found else NOBODY)

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

    def _decide(self, work: Work, caller: Caller) -> None:
        work.contact = caller.contact
        if caller.contact:
            work.refer("contact", caller.contact)
        state = CallerState.NO_OPEN_DEAL if caller.contact else CallerState.UNKNOWN
        deal = caller.open_deal
        state = CallerState.OPEN_DEAL if deal else state
        work.actions = work.delivery.what.cases.get(state, ())
        if deal and work.create_deal is None and work.actions:
            work.found_deal(deal)

    async def _look_for_steps(self, work: Work, deal: str) -> None:
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

    # -- create

    async def _create_deals(self) -> None:
        asked = [work for work in self._live() if work.create_deal]
        if not asked:
            return
        if not await self._fields.ensure_marker():
            raise InstallationError(Why.FORBIDDEN, NO_MARKER)
        made = [part for work in asked if (part := self._deal_part(work))]
        # What was in doubt goes alone: one request the vendor chokes on must not take others with it again
        # and again.
        alone = [part for part in made if part.work.delivery.in_doubt]
        shared = [part for part in made if not part.work.delivery.in_doubt]
        while shared:
            chunk, shared = shared[: self._portion.size], shared[self._portion.size :]
            await self._send_deals(chunk)
            self._portion.judge(chunk)
        for part in alone:
            await self._send_deals([part])

    async def _send_deals(self, parts: Sequence[Part]) -> None:
        await self._sender.send(parts, self._api.create_deals, _deal_rows, self._mend_deal)

    def _deal_part(self, work: Work) -> Part | None:
        action = work.create_deal
        if action is None:
            return None
        work.responsible = action.responsible or self._settings.responsible
        try:
            body = parts.deal(work.delivery, action, work.contact, self._fields, self._settings, work.left_out)
        except ValueError as error:
            work.trouble(Status.REJECTED, Why.INVALID, str(error))
            return None
        return Part(work, "deal", "deal", body)

    async def _mend_deal(self, part: Part, paths: Sequence[str]) -> bool:
        """Leave out the fields the account refused; our own field is read or created again instead."""
        codes = [self._field_of(part, path) for path in paths]
        if None in codes:
            return False
        refused = {code for code in codes if code} - {MARKER_CODE}
        if MARKER_CODE in codes:
            await self._fields.reload()
            if not await self._fields.ensure_marker():
                raise InstallationError(Why.FORBIDDEN, NO_MARKER)
        part.work.left_out |= refused
        mended = self._deal_part(part.work)
        if mended is not None:
            part.body = mended.body
        return mended is not None

    def _field_of(self, part: Part, path: str) -> str | None:
        words = path.split(".")
        if len(words) < 2 or words[0] != "custom_fields_values" or not words[1].isdigit():
            return None
        return parts.field_code(part.body, int(words[1]), self._fields)

    async def _write_notes(self) -> None:
        made: list[Part] = []
        for work in self._ready():
            made += self._parts(work, self._note_parts)
        for chunk in _chunks(made, PER_REQUEST):
            await self._sender.send(chunk, self._api.create_notes, lambda found: embedded(found, "notes"))

    def _note_parts(self, work: Work, deal: str) -> list[Part]:
        bodies: dict[str, Json] = {}
        call = parts.call(work.delivery, deal, work.responsible) if work.notes else None
        if call:
            bodies[CALL_STEP] = call
        for index, action in enumerate(work.notes):
            bodies[text_step(index)] = parts.text(work.delivery, action, index, deal)
        return _named(work, "note", bodies)

    async def _create_tasks(self) -> None:
        made: list[Part] = []
        for work in self._ready():
            made += self._parts(work, self._task_parts)
        for chunk in _chunks(made, PER_REQUEST):
            await self._sender.send(chunk, self._api.create_tasks, lambda found: embedded(found, "tasks"))

    def _task_parts(self, work: Work, deal: str) -> list[Part]:
        bodies = {
            task_step(index): parts.task(work.delivery, action, index, deal, self._settings)
            for index, action in enumerate(work.tasks)
        }
        return _named(work, "task", bodies)

    def _parts(self, work: Work, make: Callable[[Work, str], list[Part]]) -> list[Part]:
        try:
            return make(work, work.deal or "")
        except ValueError as error:
            work.trouble(Status.REJECTED, Why.INVALID, str(error))
            return []

    def _live(self) -> list[Work]:
        return [work for work in self._works if work.is_live]

    def _ready(self) -> list[Work]:
        return [work for work in self._works if work.deal and work.actions]


def _one_per_caller(works: Sequence[Work]) -> None:
    seen: set[str] = set()
    for work in works:
        enquiry = work.delivery.what.enquiry
        known_by = {known for known in (enquiry.caller, enquiry.email) if known}
        if known_by & seen:
            work.trouble(Status.RETRY, Why.TOO_EARLY, _SAME_CALLER)
        else:
            seen |= known_by


def _after_deal(work: Work, state: CallerState) -> list[Action]:
    return [one for one in work.delivery.what.cases.get(state, ()) if not isinstance(one, CreateDeal)]


def _named(work: Work, kind: Kind, bodies: Mapping[str, Json]) -> list[Part]:
    """Return the parts still to be created, each with the name the answer will call it by."""
    return [
        Part(work, step, kind, {**body, "request_id": f"{work.delivery.id}:{step}"})
        for step, body in bodies.items()
        if step not in work.done
    ]


def _deal_rows(found: object) -> list[Json]:
    if not isinstance(found, list):
        raise Unreadable("leads/complex answered with something that is not an array")
    return [row for row in found if isinstance(row, dict)]


def _chunks(made: Sequence[Part], size: int) -> list[Sequence[Part]]:
    return [made[start : start + size] for start in range(0, len(made), size)]
