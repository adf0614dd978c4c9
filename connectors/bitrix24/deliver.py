"""Delivers a batch of plans: look, make deals or leads with contacts, move, write notes, create tasks.

In as few requests as the vendor's batches allow: looks for 250 people each, one for the deals of those who are known,
one for each few new cards with what is written on them, and one for each fifty things that are left to write (README,
"Hits").
Steps that succeeded are always reported, and looked for before they are ever repeated (sheet section 9).
"""

from collections.abc import Iterator, Sequence
from functools import partial
from itertools import groupby

from connectors.bitrix24 import changing, closing, companies, observing, parts, registering
from connectors.bitrix24.api import COMMANDS, Api
from connectors.bitrix24.cards import NoId, whole
from connectors.bitrix24.encoding import Link, result
from connectors.bitrix24.find import is_ours
from connectors.bitrix24.follow import beside, following, traced
from connectors.bitrix24.looking import Look
from connectors.bitrix24.mappings import COMPANY, CONTACT, LEAD
from connectors.bitrix24.pace import Pace
from connectors.bitrix24.parts import Portal, portal_of
from connectors.bitrix24.sending import Part, Sender, adding
from connectors.bitrix24.settings import Settings
from connectors.bitrix24.work import Work
from connectors.protocol import Delivery, InstallationError, Outcome, Status, Why
from connectors.scenario import Telephony
from connectors.telling import Said
from connectors.together import side_by_side

_ROUNDS = 4

_SAME_CALLER = Said("same_caller")
_UNSETTLED = Said("unsettled")
_NO_LEADS = Said("leads_are_off")


class Batch:
    """One call of ``deliver``."""

    def __init__(self, api: Api, settings: Settings, batch: Sequence[Delivery], pace: Pace) -> None:
        self._api, self._settings, self._pace = api, settings, pace
        self._sender = Sender(api, pace)
        self._portal: Portal = portal_of(settings, api.address)
        self.works = [Work(delivery, api.address, place) for place, delivery in enumerate(batch)]
        _one_per_caller(self.works)

    async def run(self) -> dict[str, Outcome]:
        """Return what is known of each delivery; raises ``InstallationError`` with what was settled."""
        try:
            if self.works:
                await self._look()
                await self._create()
                await self._write()
        except InstallationError as error:
            raise self._stopped(error) from None
        return {work.delivery.id: work.result() for work in self.works}

    def _stopped(self, error: InstallationError) -> InstallationError:
        settled = {work.delivery.id: work.interrupted(error.why, error.said) for work in self.works}
        outcomes = {id_: outcome for id_, outcome in settled.items() if outcome is not None}
        return InstallationError(error.why, error.said, hold=error.hold, outcomes=outcomes)

    async def _look(self) -> None:
        seen = [work for work in self.works if work.telephony is Telephony.OBSERVE]
        await observing.look(self._api, self._settings, seen)
        look = Look(self._api, self._settings, [work for work in self.works if work not in seen])
        await look.run()
        self._portal = portal_of(self._settings, self._api.address, has_leads=bool(look.has_leads))
        companies.tell(self._asked(), look.companies)

    # -- cards

    async def _create(self) -> None:
        await side_by_side(partial(self._make, works) for works in self._portions())

    def _portions(self) -> Iterator[list[Work]]:
        """Yield works as one request makes their cards; how many that are is asked anew each time: answers before tell.

        The last of them may find no room for all that is written on it; that is left for a request of its own kind.
        """
        costs = [(work, len(self._chain(work)), len(work.steps()) + bool(work.tags)) for work in self._asked()]
        some, cards, commands = list[Work](), 0, 0
        for work, made, written in costs:
            if work.delivery.in_doubt:
                continue
            if some and (cards + made > self._pace.cards or commands + made > COMMANDS):
                yield some
                some, cards, commands = [], 0, 0
            some.append(work)
            cards, commands = cards + made, commands + made + written
        if some:
            yield some
        # What was in doubt goes alone: one request the vendor chokes on must not take others with it again and again.
        yield from ([work] for work, _, _ in costs if work.delivery.in_doubt)

    async def _make(self, works: Sequence[Work]) -> None:
        """Make the cards of some works, and what is written on them, with one request, or few when some are refused."""
        for _ in range(_ROUNDS * len(works)):
            chains = [(work, self._chain(work)) for work in works if work.is_live]
            made = [part for _, cards in chains for part in cards]
            if not made:
                return  # what is left is only to be written
            written = [part for work, cards in chains if cards for part in beside(work, cards, self._portal)]
            # Behind all else: where the portal takes no traces, everything before them is done.
            told = [part for work, cards in chains if cards for part in traced(work, cards)]
            if not await self._sender.chain([*made, *written, *told][:COMMANDS]):
                return
        for work in works:
            if work.is_live and work.create_deal:
                work.trouble(Status.RETRY, Why.INVALID, _UNSETTLED)

    def _chain(self, work: Work) -> list[Part]:
        """Return what is still to be made for a delivery's deal: each with a reference to what goes before it."""
        action = work.create_deal
        if action is None:
            return []
        made: list[Part] = []
        entity = parts.entity_of(action, self._portal)
        company: int | Link | None = work.company
        contact: int | Link | None = work.contact
        enquiry = work.delivery.what.enquiry
        try:
            if action.company and company is None:
                made.append(adding(work, "company", COMPANY, parts.company(work.delivery, action), _took_company))
                company = result(made[-1].key, "item", "id")
            if contact is None and entity != LEAD and (enquiry.caller or enquiry.email):
                made.append(adding(work, "contact", CONTACT, parts.contact(work.delivery, company), _took_contact))
                contact = result(made[-1].key, "item", "id")
            body = parts.lead if entity == LEAD else parts.deal
            card = body(work.delivery, action, self._portal, (contact, company), work.left_out)
        except NoId as error:
            work.trouble(Status.REJECTED, Why.INVALID, error.said)
            return []
        if parts.asks_for_lead(action, self._portal) and entity != LEAD and _NO_LEADS not in work.remarks:
            work.remarks.append(_NO_LEADS)
        return [*made, adding(work, "deal", entity, card, partial(_took_deal, entity))]

    def _asked(self) -> list[Work]:
        return [work for work in self.works if work.is_live and work.create_deal]

    # -- what is written on them

    async def _write(self) -> None:
        ready = [work for work in self.works if work.deal and work.actions and work.is_live]
        await changing.change(self._api, self._sender, self._settings, ready)
        await closing.close(self._api, self._sender, ready)
        made = following([work for work in ready if work.is_live], self._portal)
        await side_by_side(partial(self._sender.follow, chunk) for chunk in _whole(made))
        await registering.attach(self._api, ready)


def _whole(made: Sequence[Part]) -> Iterator[list[Part]]:
    """Yield parts as requests take them; those of one work, which refer to each other, stay together."""
    some = list[Part]()
    for _, of_one in groupby(made, lambda part: part.work.place):
        its = list(of_one)
        if some and len(some) + len(its) > COMMANDS:
            yield some
            some = []
        some += its
    if some:
        yield some


def _took_company(part: Part, found: object) -> bool:
    card = _card(part, found)
    if card:
        part.work.is_of(card)
    return bool(card)


def _took_contact(part: Part, found: object) -> bool:
    card = _card(part, found)
    if card:
        part.work.hold(card)
    return bool(card)


def _took_deal(entity: int, part: Part, found: object) -> bool:
    if not _card(part, found) or not isinstance(found, dict):
        return False
    part.work.found_deal(entity, found["item"])
    part.work.has_made_deal = part.work.is_new = True
    return True


def _card(part: Part, found: object) -> int:
    """Return the id of the card that a creation brought; 0 where the card does not carry our mark."""
    card = found.get("item") if isinstance(found, dict) else None
    return whole(card.get("id")) if isinstance(card, dict) and is_ours(card, part.work.delivery.marker) else 0


def _one_per_caller(works: Sequence[Work]) -> None:
    seen: set[str] = set()
    for work in works:
        enquiry = work.delivery.what.enquiry
        known_by = {known for known in (enquiry.caller, enquiry.email) if known}
        if known_by & seen:
            work.trouble(Status.RETRY, Why.TOO_EARLY, _SAME_CALLER)
        else:
            seen |= known_by
