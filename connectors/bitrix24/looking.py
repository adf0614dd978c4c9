"""Looks before anything is created: what an earlier attempt left, who the caller is, and which deal is his [4.7, 9].

All looks of a batch of deliveries share requests: one for the people, one for their deals where somebody is known, and
one for what is on those deals where an attempt before may have left something.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain

from connectors.bitrix24 import asking, left, people, recent, registering
from connectors.bitrix24.api import Api, Json, Replies
from connectors.bitrix24.cards import named, whole
from connectors.bitrix24.companies import longest
from connectors.bitrix24.find import is_ours, known_deal, oldest, once, time_of
from connectors.bitrix24.find import people as known_people
from connectors.bitrix24.mappings import CLASSIC, CONTACT, DEAL, LEAD, SIMPLE
from connectors.bitrix24.owned import Lot, Owned
from connectors.bitrix24.people import Sought
from connectors.bitrix24.settings import Settings
from connectors.bitrix24.trouble import checked, is_denied, is_gone, no_rights, trouble, words
from connectors.bitrix24.work import Work
from connectors.changes import OLDER_BY
from connectors.deciding import asks_who_was_there, decide, decide_made, decide_on
from connectors.errors import ConnectorError
from connectors.protocol import Decision, Known, Status, Why
from connectors.scenario import CreateDeal, Telephony
from connectors.telling import Said

_NEWEST = 5  # cards of a caller on which an attempt in doubt may have left something
_DEAL_GONE = Said("deal_gone")
_NO_DEAL = Said("no_deal")
_NO_FILTER = "invalid_arg_value"
_UNTOLD = Said("untold")


@dataclass(slots=True)
class _Seen:
    """What is known of one work's caller on the way."""

    contacts: list[int] = field(default_factory=list)
    leads: list[int] = field(default_factory=list)
    cards: list[tuple[int, Json]] = field(default_factory=list)
    made_contact: Json | None = None  # an earlier attempt made it


class Look:
    """The looks of one batch; what they find is told to each ``Work``."""

    def __init__(self, api: Api, settings: Settings, works: Sequence[Work]) -> None:
        self._api, self._settings, self._works = api, settings, works
        self._seen = {work.place: _Seen() for work in works}
        self._told = Replies()
        self._owned = Owned()
        self.has_leads: bool | None = CLASSIC in settings.traits or (False if SIMPLE in settings.traits else None)
        self.companies: dict[str, list[Json]] = {}

    async def run(self) -> None:
        """Look for all works together; raises ``InstallationError``."""
        try:
            await self._for_people()
            await self._for_deals()
            await self._for_steps()
        except ConnectorError as error:
            raise trouble(error) from None
        for work in self._live():
            if work.actions and not work.deal and work.create_deal is None:
                work.trouble(Status.REJECTED, Why.INVALID, _NO_DEAL)

    def _live(self) -> list[Work]:
        return [work for work in self._works if work.is_live]

    async def _ask(self, commands: dict[str, str]) -> None:
        self._told |= checked(await self._api.ask(commands))

    # -- people

    async def _for_people(self) -> None:
        commands = {} if self.has_leads is not None else {"mode": asking.mode()}
        for work in self._live():
            commands |= self._of_person(work)
        sought = [one for work in self._live() if not work.looks_first for one in self._sought(work)]
        self._told = await people.ask(self._api, commands, sought, self._of_named)
        if self.has_leads is None:
            self.has_leads = whole(self._told.results.get("mode")) == 1
        for work in self._live():
            self._take_person(work)
        await self._for_recent()

    def _of_person(self, work: Work) -> dict[str, str]:
        asked = {one.key: one.command for one in self._sought(work)}
        for j, name in enumerate(work.company_names):
            asked[f"company{work.place}x{j}"] = asking.companies(longest(name))
        return asked | (self._of_attempt(work) if work.looks_first else {})

    def _sought(self, work: Work) -> list[Sought]:
        return people.sought(work.place, work.delivery.what.enquiry, self._kinds())

    def _of_attempt(self, work: Work) -> dict[str, str]:
        """Ask for what an earlier attempt may have made, and for the deal that one wrote to."""
        i, marker = work.place, work.delivery.marker
        asked = {f"made{i}": asking.made_of(DEAL, marker), f"maker{i}": asking.made_of(CONTACT, marker)}
        if self.has_leads is not False:
            asked[f"lead{i}"] = asking.made_of(LEAD, marker)
        if work.known_deal:
            asked[f"known{i}"] = asking.card(*work.known_deal)
        if work.telephony is Telephony.REGISTER:
            asked[f"call{i}"] = registering.asked(work)
        return asked

    def _kinds(self) -> tuple[tuple[str, str], ...]:
        return (("c", "CONTACT"), ("l", "LEAD")) if self.has_leads is not False else (("c", "CONTACT"),)

    def _take_person(self, work: Work) -> None:
        i, seen = work.place, self._seen[work.place]
        if not self._is_told(work):
            return
        for j, name in enumerate(work.company_names):
            self.companies.setdefault(name, self._told.rows(f"company{i}x{j}"))
        seen.contacts = self._found("phonec", i, "CONTACT") or self._found("emailc", i, "CONTACT")
        seen.leads = self._found("phonel", i, "LEAD") or self._found("emaill", i, "LEAD")
        seen.made_contact = oldest(one for one in self._told.rows(f"maker{i}") if is_ours(one, work.delivery.marker))
        if seen.made_contact:
            seen.contacts = seen.contacts or [whole(seen.made_contact["id"])]
        if work.looks_first:
            self._take_attempt(work)

    def _is_told(self, work: Work) -> bool:
        """Say whether the looks for a person brought answers; what cannot be looked for is not made."""
        wanted = [key for key in self._of_person(work) if not key.startswith(("known", "call"))]
        for key in wanted:
            fault = self._told.faults.get(key)
            if fault and is_denied(fault):
                raise no_rights()
            if fault and fault.code == _NO_FILTER and self._seeks_otherwise(work, key):
                continue
            if fault or key not in self._told.results:
                detail = words(fault) if fault else f"no answer to {key}"
                work.trouble(Status.RETRY, Why.UNREADABLE, _UNTOLD, detail=detail)
                return False
        return True

    def _seeks_otherwise(self, work: Work, key: str) -> bool:
        """Say whether what a filter by our mark would find is found among the cards of the caller [4.12]."""
        enquiry = work.delivery.what.enquiry
        return key.startswith(("made", "maker", "lead")) and bool(enquiry.caller or enquiry.email)

    def _found(self, key: str, place: int, entity: str) -> list[int]:
        return people.found(self._told, f"{key}{place}", entity)

    async def _for_recent(self) -> None:
        """Look at contacts that the hub saw made lately, of people whom no search shows."""
        asked = [work for work in self._live() if work.actions is None and not self._seen[work.place].contacts]
        await self._ask(recent.asked_contacts(asked))
        for work in asked:
            self._seen[work.place].contacts = recent.contacts(self._told, work)

    def _take_attempt(self, work: Work) -> None:
        i = work.place
        if work.telephony is Telephony.REGISTER:
            registering.note_call(self._told, f"call{i}", work)
        known = self._told.card(f"known{i}")
        fault = self._told.faults.get(f"known{i}")
        if work.known_deal and known:
            self._settle(work, work.known_deal[0], known)
            return
        if work.known_deal and not (fault and is_gone(fault)):
            work.trouble(Status.RETRY, Why.UNREADABLE, _UNTOLD, detail=words(fault) if fault else "")
            return
        if not self._is_left(work, self._told.rows(f"made{i}"), self._told.rows(f"lead{i}")) and work.known_deal:
            work.trouble(Status.REJECTED, Why.INVALID, _DEAL_GONE)

    def _settle(self, work: Work, entity: int, card: Json, there: Sequence[Known] | None = None) -> None:
        """Take a card as the one of this delivery; which rule was followed depends on who made it.

        ``there`` are the people whom the CRM knows the caller by, None while they have not been read.
        """
        work.found_deal(entity, card)
        if contact := whole(card.get("contactId")):
            work.hold(contact)
        work.has_made_deal = is_ours(card, work.delivery.marker) and not _is_older(card, work)
        if not work.has_made_deal:
            work.follow(self._on(work, entity, card))
        elif (before := self._before(work, there)) is not None:
            work.follow(decide_made(work.delivery.what, before))
        company = whole(card.get("companyId"))
        if company and any(isinstance(one, CreateDeal) and one.company for one in work.actions or ()):
            work.is_of(company)

    def _on(self, work: Work, entity: int, card: Json) -> Decision:
        """Decide for a card that is there as an earlier attempt did, else as for an open one."""
        before = work.delivery.decided
        if before is not None and before.deal is not None and before.deal.id == named(*_id((entity, card))):
            return before
        deal = replace(known_deal(entity, card), outcome="open")
        return decide_on(work.delivery.what, deal, str(work.contact or ""))

    def _before(self, work: Work, there: Sequence[Known] | None) -> Sequence[Known] | None:
        """Return whom the CRM knew before an earlier attempt made the card; None where that has to be read first."""
        seen, contact = self._seen[work.place], work.contact
        made = seen.made_contact
        if contact is None or (made is not None and whole(made["id"]) == contact):  # a new contact has our mark, too
            return ()
        if not asks_who_was_there(work.delivery.what):
            return (Known(str(contact), ()),)
        if there is None:
            seen.contacts = [contact]
            return None
        ours = named(work.entity, work.deal)
        return [replace(one, deals=tuple(deal for deal in one.deals if deal.id != ours)) for one in there]

    # -- their deals

    async def _for_deals(self) -> None:
        asked = [work for work in self._live() if work.actions is None]
        commands = self._owned.asked(
            asked, [Lot(self._seen[work.place].contacts) for work in asked], self._owned_kinds()
        )
        for work in asked:
            commands |= self._of_loose_leads(work)
        await self._ask(commands)
        await self._ask(self._owned.uncut(self._told))
        for work in asked:
            self._take_deals(work)

    def _of_named(self, named: Iterable[Sequence[int]]) -> dict[str, str]:
        """Ask for the deals of contacts before it is known whose of a few callers they are: that saves a hit."""
        if self.has_leads is None:
            return {}
        lots = [Lot(contacts, min(len(contacts), people.TOGETHER)) for contacts in named]
        return self._owned.asked(self._live(), lots, self._owned_kinds())

    def _owned_kinds(self) -> tuple[int, ...]:
        return (DEAL, LEAD) if self.has_leads else (DEAL,)

    def _of_loose_leads(self, work: Work) -> dict[str, str]:
        seen = self._seen[work.place]
        return {f"loose{work.place}": asking.several(LEAD, seen.leads)} if seen.leads and self.has_leads else {}

    def _take_deals(self, work: Work) -> None:
        seen = self._seen[work.place]
        for key in (*self._owned.keys(work, seen.contacts), *self._of_loose_leads(work)):
            fault = self._told.faults.get(key)
            if fault and is_denied(fault):
                raise no_rights()
            if fault or key not in self._told.results:
                work.trouble(Status.RETRY, Why.UNREADABLE, _UNTOLD, detail=words(fault) if fault else "")
                return
        deals, leads = (once(self._owned.rows(self._told, work, seen.contacts, kind)) for kind in (DEAL, LEAD))
        leads = once([*leads, *self._told.rows(f"loose{work.place}")])
        found = known_people(seen.contacts, deals, leads)
        if work.looks_first and self._is_left(work, deals, leads, found):
            return
        if work.has_made_deal:  # and the lists do not show it
            work.follow(decide_made(work.delivery.what, found))
            return
        cards = chain(((DEAL, one) for one in deals), ((LEAD, one) for one in leads))
        seen.cards = sorted(cards, key=_id, reverse=True)
        decision = decide(work.delivery.what, found)
        work.follow(decision)
        if decision.contact:
            work.hold(whole(decision.contact))
        chosen = next((one for one in seen.cards if decision.deal and named(*_id(one)) == decision.deal.id), None)
        if chosen and work.create_deal is None and work.actions:
            work.found_deal(*chosen)

    def _is_left(
        self, work: Work, deals: Sequence[Json], leads: Sequence[Json], there: Sequence[Known] | None = None
    ) -> bool:
        """Take a card of the caller's that carries our mark, where a search for the mark did not show it."""
        for entity, cards in ((DEAL, deals), (LEAD, leads)):
            made = oldest(one for one in cards if is_ours(one, work.delivery.marker))
            if made is not None:
                self._settle(work, entity, made, there)
                return True
        return False

    # -- what is on them

    async def _for_steps(self) -> None:
        asked = [work for work in self._live() if work.looks_first and work.actions is not None]
        commands: dict[str, str] = {}
        for work in asked:
            for j, (entity, card) in enumerate(self._candidates(work)):
                commands |= left.asked(f"{work.place}x{j}", entity, whole(card.get("id")))
        await self._ask(commands)
        for work in asked:
            self._take_steps(work)

    def _candidates(self, work: Work) -> list[tuple[int, Json]]:
        """Return the cards an earlier attempt may have written on: its own, or the caller's newest."""
        if work.deal and work.has_made_deal:
            return [(work.entity, work.as_read or {})]
        own = [(work.entity, work.as_read)] if work.deal and work.as_read else []
        others = self._seen[work.place].cards if work.delivery.in_doubt and not work.known_deal else []
        return [*own, *(one for one in others if one not in own)][: _NEWEST + 1]

    def _take_steps(self, work: Work) -> None:
        candidates = self._candidates(work)
        keys = [f"{work.place}x{j}" for j in range(len(candidates))]
        wanted = ("comments", "activities", *(["stages"] if work.move else []))
        if any(f"{name}{key}" not in self._told.results for key in keys for name in wanted):
            work.trouble(Status.RETRY, Why.UNREADABLE, _UNTOLD)
            return
        found = next((j for j, key in enumerate(keys) if left.is_marked(self._told, key, work)), None)
        if found is not None and _id(candidates[found]) != (work.entity, work.deal):
            work.found_deal(*candidates[found])
            work.follow(self._on(work, *candidates[found]))
        if found is not None or (work.deal and candidates):
            left.note_steps(self._told, keys[found or 0], work)


def _is_older(card: Json, work: Work) -> bool:
    """Say whether a card was there long before its enquiry: then somebody merged ours into it."""
    made = time_of(card.get("createdTime"))
    return made is not None and made < work.delivery.what.enquiry.started_at - OLDER_BY


def _id(candidate: tuple[int, Json]) -> tuple[int, int]:
    return candidate[0], whole(candidate[1].get("id"))
