"""What a dry-run says the rules that run would do is what they did: a week of a customer's traffic at each CRM."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from random import Random
from typing import Any

import pytest
from sqlalchemy import select

from connectors.deciding import KnownDeal
from hub.dry_run import DryRun
from hub.store.contacts import DatedDeal
from hub.store.past_people import Past
from hub.store.tables import Deal, table_of
from hub.store.tx import Tx
from tests.hub import world as worlds
from tests.hub.both_crms import crm_kind as crm_kind
from tests.hub.test_contact_index import as_person, contact, deal, known
from tests.hub.test_dry_run import tried
from tests.hub.test_enquiries import pass_on
from tests.hub.world import World

NUMBER = "+74951110001"
PEOPLE = [f"+7916{number:07}" for number in range(1, 31)]
DAYS, ROUNDS, OF_ROUND = 7, 3, 4
ENOUGH = 0.995
RULES = """
lately_days: 1
short_s: 10
ended:
  unknown: [deal: {name: "Новый {caller}"}, note: "Источник: {source}"]
  open_deal: {short: [], otherwise: [note: "Ещё звонок"]}
  lost_lately: [deal: {name: "Вернулся {caller}"}]
  lost: [deal: {name: "Давно не было {caller}"}]
  won: [deal: {name: "Клиент {caller}"}]
missed:
  unknown: [deal, task: {text: "Перезвонить {caller}", due_minutes: 15}]
  open_deal: [task: {text: "Перезвонить {caller}", due_minutes: 15}]
  no_open_deal: []
form:
  unknown: [deal: {name: "Заявка {person}"}]
  no_open_deal: [deal: {name: "Снова {person}"}]
  open_deal: [note: "{text}"]
"""


@pytest.fixture
def set_up(crm_kind: str) -> str:
    return worlds.ruled_by(f"\n  {crm_kind}: |\n" + "".join(f"    {line}\n" for line in RULES.strip().splitlines()))


@pytest.fixture
def crm(hand_clock: worlds.HandClock, crm_kind: str) -> Iterator[dict[str, Any]]:
    """Its tokens live longer than this week: nights are over in a moment here."""
    more = ("--set", "access_ttl=2000000") if crm_kind == "bitrix24" else ()
    with worlds.sandbox(hand_clock.path, f"http://hub.test/oauth/{crm_kind}/callback", crm_kind, *more) as printed:
        yield printed


@dataclass
class Week:
    """The people of a week, and what the sales people make of their deals; all of it follows from the seed."""

    world: World
    random: Random = field(default_factory=lambda: Random(7))
    told: int = 0

    async def lived(self) -> None:
        for phone in PEOPLE[:3]:
            await _is_made_by_hand(self.world, phone, with_deal=phone == PEOPLE[0])
        if self.world.vendor == "amocrm":
            await known(self.world)
        for place in range(DAYS * ROUNDS):
            for _ in range(OF_ROUND):
                await self._turns_to_us()
            await self.world.until(lambda status: not is_busy(status))
            await self._sales()
            await self.world.goes_on(4 * 3_600 if place % ROUNDS else 13 * 3_600)
        await self._is_read()

    async def _turns_to_us(self) -> None:
        random, self.told = self.random, self.told + 1
        who, kind = random.choice(PEOPLE), random.random()
        if kind < 0.15:
            await pass_on(self.world, kind="form", id=f"f{self.told}", phone=who, name="Иван", text="Сколько стоит?")
            return
        caller = "" if kind > 0.95 else who
        talk_s = 0 if kind < 0.35 else random.choice((4, 30, 200))
        await self.world.mango_call(f"c{self.told}", caller, NUMBER, talk_s=talk_s)

    async def _sales(self) -> None:
        """Each open deal may be won or lost."""
        for deal_id in (await _deals(self.world))[1]:
            if (roll := self.random.random()) < 0.3:
                await _closes(self.world, deal_id, is_won=roll < 0.12)
            elif roll > 0.95:
                await _is_sold_more(self.world, deal_id)

    async def _is_read(self) -> None:
        """Wait until the hub has read all that the sales people did."""
        there, still_open = await _deals(self.world)
        await self.world.goes_on(3_700)
        await self.world.until(lambda _: self.world.hub.db.read_now(_read) == (len(there), len(still_open)), step_s=30)


def _read(tx: Tx) -> tuple[int, int]:
    """Return how many deals the hub knows, and how many of them are open."""
    outcomes = list(tx.execute(select(table_of(Deal).c.outcome)).scalars())
    return len(outcomes), outcomes.count("open")


def is_busy(status: dict[str, Any]) -> bool:
    return bool(status["inbox"]) or any(status["deliveries"].get(one, 0) for one in ("ready", "sending", "accepted"))


async def _deals(world: World) -> tuple[list[int], list[int]]:
    """Return the deals there are in the CRM, and the open ones of them."""
    state = await world.state()
    if world.vendor == "amocrm":
        stands = {one["id"]: one["status_id"] not in (142, 143) for one in state["leads"]}
    else:
        stands = {one["id"]: one["stageId"] not in ("WON", "LOSE") for one in state["deal"]}
    return list(stands), [id_ for id_, is_open in stands.items() if is_open]


async def _is_made_by_hand(world: World, phone: str, *, with_deal: bool) -> None:
    """Make a person known to the CRM, as a sales person does there."""
    if world.vendor == "amocrm":
        made = await contact(world, phone)
        if with_deal:
            await deal(world, made)
        return
    fields = {"NAME": "Иван", "PHONE": [{"VALUE": phone, "VALUE_TYPE": "WORK"}]}
    made = (await _asked(world, "crm.contact.add", fields=fields))["result"]
    if with_deal:
        await _asked(world, "crm.item.add", entityTypeId=2, fields={"title": "Сделка", "contactId": made})


async def _is_sold_more(world: World, deal_id: int) -> None:
    """Make another deal of the same person, as a sales person does."""
    if world.vendor == "amocrm":
        lead = await as_person(world, "GET", f"leads/{deal_id}?with=contacts", None)
        for one in lead["_embedded"]["contacts"]:
            await deal(world, one["id"])
        return
    state = await world.state()
    (card,) = (one for one in state["deal"] if one["id"] == deal_id)
    for contact_id in card["contactIds"]:
        await _asked(world, "crm.item.add", entityTypeId=2, fields={"title": "Ещё", "contactId": contact_id})


async def _asked(world: World, method: str, **params: Any) -> Any:
    asked = {"method": method, "params": params, "user_id": 1}
    answer = await world.crm_web.post("/_sandbox/call-method", json=asked)
    answer.raise_for_status()
    return answer.json()


async def _closes(world: World, deal: int, *, is_won: bool) -> None:
    """Do in the CRM what a sales person does there."""
    if world.vendor == "amocrm":
        await as_person(world, "PATCH", "leads", [{"id": deal, "status_id": 142 if is_won else 143}])
        return
    asked = {"kind": "deal", "id": deal, "stage": "WON" if is_won else "LOSE", "user_id": 1}
    (await world.crm_web.post("/_sandbox/move", json=asked)).raise_for_status()


@pytest.fixture
async def lived(connected: World) -> World:
    await Week(connected).lived()
    return connected


async def test_a_week_is_foreseen(lived: World, monkeypatch: pytest.MonkeyPatch) -> None:
    week = tried(lived, None, DAYS + 1)
    assert week.checked.known == week.enquiries == DAYS * ROUNDS * OF_ROUND
    assert share(week) >= ENOUGH
    assert all(week.rules.get(rule) for rule in range(1, 13))  # none of them is foreseen only because it never held
    last_days = tried(lived, None, since=lived.clock.now() - timedelta(days=3))  # after four that are as they were
    assert 3 * ROUNDS * OF_ROUND // 2 < last_days.checked.known < week.checked.known
    assert share(last_days) >= ENOUGH
    for name, blind in BLIND.items():
        with monkeypatch.context() as patched:
            blind(patched)
            assert share(tried(lived, None, DAYS + 1)) < ENOUGH, name


def share(made: DryRun) -> float:
    return made.checked.same / made.checked.known


def never_closed(kept: DatedDeal, _moment: datetime) -> KnownDeal:
    return replace(kept.deal, outcome="open", closed_at=None)


def closed_from_the_beginning(kept: DatedDeal, _moment: datetime) -> KnownDeal:
    return kept.deal


# The control: who does not see this much of what the hub knows foresees too little.
BLIND: Mapping[str, Callable[[pytest.MonkeyPatch], None]] = {
    "to closed deals": lambda patch: patch.setattr("hub.rehearsal.at", never_closed),
    "to when they were closed": lambda patch: patch.setattr("hub.rehearsal.at", closed_from_the_beginning),
    "to deals made by hand": lambda patch: patch.setattr(Past, "by_hand", lambda *_: ()),
    "to who was there before": lambda patch: patch.setattr(Past, "known", lambda *_: ()),
}


# -- leads

WITH_LEADS = """
ended:
  unknown: [incoming]
  open_lead: [note: "Ещё звонок"]
  open_elsewhere: [note: "Другая воронка"]
"""


class TestLeads:
    """A portal in which a new caller becomes a lead."""

    @pytest.fixture
    def crm_kind(self) -> str:
        return "bitrix24"

    @pytest.fixture
    def set_up(self) -> str:
        return worlds.ruled_by(
            "\n  bitrix24: |\n" + "".join(f"    {line}\n" for line in WITH_LEADS.strip().splitlines())
        )

    @pytest.fixture
    async def called(self, connected: World) -> World:
        """Two people called yesterday and today, twice each."""
        for day in range(2):
            for number in range(4):
                await connected.mango_call(f"c{day}{number}", PEOPLE[number % 2], NUMBER, talk_s=60)
                await connected.delivered(4 * day + number + 1)
            await connected.goes_on(20 * 3_600)
        await connected.until(lambda status: status["deals"] == 2, step_s=30)
        return connected

    async def test_a_lead_is_known_as_a_lead(self, called: World) -> None:
        made = tried(called, None, 3)
        assert (made.checked.known, made.checked.same) == (8, 8)
        assert made.rules == {1: 2, 2: 6}
        assert (made.tried.incoming, made.tried.contacts) == (2, 0)

    async def test_a_lead_of_before_the_span_is_known_as_a_lead(self, called: World) -> None:
        made = tried(called, None, since=called.clock.now() - timedelta(hours=30))
        assert (made.checked.known, made.checked.same, made.rules) == (4, 4, {2: 4})


@pytest.fixture
async def merged(connected: World) -> World:
    """Somebody called twice; then his contact went up in one that was there before, whose deal is won, and he called."""
    if connected.vendor == "amocrm":
        await known(connected)
    for number in range(2):
        await connected.mango_call(f"c{number}", PEOPLE[5], NUMBER, talk_s=60)
        await connected.delivered(number + 1)
    await _is_merged(connected)
    await connected.goes_on(7_200)
    await connected.mango_call("c3", PEOPLE[5], NUMBER, talk_s=60)
    await connected.delivered(3)
    await Week(connected)._is_read()
    return connected


async def _is_merged(world: World) -> None:
    await _is_made_by_hand(world, PEOPLE[6], with_deal=False)
    state = await world.state()
    kind = "contacts" if world.vendor == "amocrm" else "contact"
    ours, older = sorted(one["id"] for one in state[kind])[-2:]
    asked = {"kind": kind, "keep": older, "lose": ours}
    (await world.crm_web.post("/_sandbox/merge", json=asked)).raise_for_status()


async def test_a_contact_that_went_up_in_another_is_the_same_person(merged: World) -> None:
    made = tried(merged, None, 1)
    assert (made.checked.known, made.checked.same) == (3, 3)
