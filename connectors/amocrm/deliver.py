"""Delivers a batch of plans: look, create deals with contacts, write notes, create tasks.

In as few requests as the API allows: one or more searches per caller, then deals, notes and tasks in shared
requests. Steps that succeeded are always reported, and looked for before they are ever repeated (sheet
section 6).
"""

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from functools import partial
from itertools import chain, islice

from connectors.amocrm import companies, incoming, parts
from connectors.amocrm.account import NO_MARKER, Fields
from connectors.amocrm.api import Api, Json, embedded
from connectors.amocrm.changing import change
from connectors.amocrm.closing import close
from connectors.amocrm.looking import Look
from connectors.amocrm.mappings import MARKER_CODE
from connectors.amocrm.search import Search
from connectors.amocrm.sending import Create, Mend, Part, Portion, Sender, never, without_author
from connectors.amocrm.settings import Settings
from connectors.amocrm.trouble import trouble
from connectors.amocrm.work import CALL_STEP, Kind, Work, task_step, text_step
from connectors.deciding import decide_on
from connectors.errors import ConnectorError, Unreadable
from connectors.protocol import Delivery, InstallationError, KnownDeal, Outcome, Status, Why
from connectors.telling import Said
from connectors.together import side_by_side

PER_REQUEST = 50  # notes or tasks [2]
MERGED = Said("deal_merged")

_SAME_CALLER = Said("same_caller")
_NO_DEAL = Said("no_deal")
_CONTACT_GONE = Said("contact_gone")


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
        self.works = [Work(delivery, api.address) for delivery in batch]
        _one_per_caller(self.works)

    async def run(self) -> dict[str, Outcome]:
        """Return what is known of each delivery; raises ``InstallationError`` with what was settled."""
        try:
            await self._look()
            await change(self._api, self._sender, self._fields, self._ready())
            await self._create_deals()
            await companies.link(self._api, self._sender, self._ready())
            await close(self._api, self._sender, self._ready())
            await self._write_on_deals()
        except ConnectorError as error:
            raise self._stopped(trouble(error)) from None
        except InstallationError as error:
            raise self._stopped(error) from None
        return {work.delivery.id: work.result() for work in self.works}

    def _stopped(self, error: InstallationError) -> InstallationError:
        settled = {work.delivery.id: work.interrupted(error.why, error.said) for work in self.works}
        outcomes = {id_: outcome for id_, outcome in settled.items() if outcome is not None}
        return InstallationError(error.why, error.said, hold=error.hold, outcomes=outcomes)

    # -- look

    async def _look(self) -> None:
        look = Look(self._api, self._fields, self._search)
        again = [work for work in self._live() if work.looks_first]
        if again:
            await self._fields.ready()
        await side_by_side(partial(look.for_deal, work) for work in again)
        await look.for_callers([work for work in self._live() if work.actions is None])
        found = [(work, work.deal) for work in self._live() if work.looks_first and work.deal]
        await side_by_side(partial(look.for_steps, work, deal) for work, deal in found)
        for work in self._live():
            if work.actions and not work.deal and work.create_deal is None:
                work.trouble(Status.REJECTED, Why.INVALID, _NO_DEAL)

    # -- create

    async def _create_deals(self) -> None:
        asked = [work for work in self._live() if work.create_deal]
        if not asked:
            return
        if not await self._fields.ensure_marker():
            raise InstallationError(Why.FORBIDDEN, NO_MARKER)
        await companies.look(self._api, asked)
        # What was in doubt goes alone: one request the vendor chokes on must not take others with it again
        # and again.
        alone = self._deal_parts([work for work in asked if work.is_live and work.delivery.in_doubt])
        shared = self._deal_parts([work for work in asked if work.is_live and not work.delivery.in_doubt])
        while portion := self._portion.next(shared):
            portions = chain([portion], self._portion.of_most(shared))
            await side_by_side(partial(self._send_portion, one) for one in portions)
        await side_by_side(partial(self._send_deals, [part]) for part in alone)
        await self._go_on([work for work in asked if work.is_merged])

    async def _go_on(self, merged: Sequence[Work]) -> None:
        """Where duplicate control put an enquiry into a deal that was there, what follows is what an open deal gets."""
        for work in merged:
            work.follow(decide_on(work.delivery.what, KnownDeal(work.deal or "", "open"), work.contact or ""))
            work.responsible = None
            work.remarks.append(MERGED)
        await change(self._api, self._sender, self._fields, merged)

    async def _send_portion(self, portion: Sequence[Part]) -> None:
        await self._send_deals(portion)
        self._portion.judge(portion)

    async def _send_deals(self, made: Sequence[Part]) -> None:
        await self._sender.send(made, self._api.create_deals, _deal_rows, self._mend_deal)

    def _deal_parts(self, works: Sequence[Work]) -> Iterator[Part]:
        """Yield each part when it is asked for: the first requests do not wait for the bodies of the last."""
        return (part for work in works if (part := self._deal_part(work)))

    def _deal_part(self, work: Work) -> Part | None:
        action = work.create_deal
        if action is None:
            return None
        work.responsible = action.responsible or self._settings.responsible
        work.are_new = work.contact is None and work.company is None
        try:
            metadata = incoming.metadata(work, action, self._settings)
            body = parts.deal(
                work.delivery, action, work.contact, self._fields, self._settings, work.left_out, work.company, metadata
            )
        except parts.NoId as error:
            work.trouble(Status.REJECTED, Why.INVALID, error.said)
            return None
        return Part(work, "deal", "deal", body)

    async def _mend_deal(self, part: Part, paths: Sequence[str]) -> bool:
        """Leave out the fields the account refused; our own field is read or created again instead.

        A contact that is refused is gone since the hub read it: the next attempt searches. A company that is gone is
        made anew.
        """
        named = {word for path in paths for word in path.split(".")}
        if part.work.contact and "contacts" in named:
            part.work.trouble(Status.RETRY, Why.TOO_EARLY, _CONTACT_GONE)
            return False
        if "metadata" in named:
            part.work.is_refused_waiting = True
            paths = [path for path in paths if "metadata" not in path.split(".")]
        is_company_gone = bool(part.work.company) and "companies" in named
        codes = [self._field_of(part, path) for path in paths if not is_company_gone or "companies" not in path]
        if None in codes or not named:
            return False
        if is_company_gone:
            part.work.company = None
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

    async def _write_on_deals(self) -> None:
        """Write notes and create tasks, the notes first."""
        notes = self._asked(self._note_parts, self._api.create_notes, "notes", without_author)
        await side_by_side(chain(notes, self._asked(self._task_parts, self._api.create_tasks, "tasks")))

    def _asked(
        self, make: Callable[[Work, str], list[Part]], create: Create, plural: str, mend: Mend = never
    ) -> Iterator[Callable[[], Awaitable[None]]]:
        made = (part for work in self._ready() for part in self._parts(work, make))
        while chunk := list(islice(made, PER_REQUEST)):
            yield partial(self._sender.send, chunk, create, partial(embedded, plural=plural), mend)

    def _note_parts(self, work: Work, deal: str) -> list[Part]:
        bodies: dict[str, Json] = {}
        call = parts.call(work.delivery, deal, work.responsible) if work.notes else None
        if call:
            bodies[CALL_STEP] = call
        for index, action in enumerate(work.notes):
            bodies[text_step(index)] = parts.text(work.delivery, action, index, deal)
        return _named(work, "note", bodies)

    def _task_parts(self, work: Work, deal: str) -> list[Part]:
        bodies = {
            task_step(index): parts.task(work.delivery, action, index, deal, self._settings)
            for index, action in enumerate(work.tasks)
        }
        return _named(work, "task", bodies)

    def _parts(self, work: Work, make: Callable[[Work, str], list[Part]]) -> list[Part]:
        try:
            return make(work, work.deal or "")
        except parts.NoId as error:
            work.trouble(Status.REJECTED, Why.INVALID, error.said)
            return []

    def _live(self) -> list[Work]:
        return [work for work in self.works if work.is_live]

    def _ready(self) -> list[Work]:
        return [work for work in self.works if work.deal and work.actions]


def _one_per_caller(works: Sequence[Work]) -> None:
    seen: set[str] = set()
    for work in works:
        enquiry = work.delivery.what.enquiry
        known_by = {known for known in (enquiry.caller, enquiry.email) if known}
        if known_by & seen:
            work.trouble(Status.RETRY, Why.TOO_EARLY, _SAME_CALLER)
        else:
            seen |= known_by


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
