import json
import random
from datetime import UTC, datetime
from email.utils import format_datetime

import httpx
import pytest

from connectors.amocrm import connector, readback
from connectors.amocrm.readback import amount_minor
from connectors.amocrm.walk import SHARED, Cursor, Walk, window
from connectors.contract import MARKER
from connectors.http import Answer
from connectors.protocol import InstallationError, Why

LEADS, EVENTS, ACCOUNT = "api/v4/leads", "api/v4/events", "api/v4/account"


def at(seconds):
    return datetime.fromtimestamp(seconds, UTC)


@pytest.fixture
def quiet(vendor):
    vendor.on("GET", ACCOUNT, "account__filters_off")
    vendor.on("GET", LEADS, "leads__changed")
    vendor.on("GET", EVENTS, None)
    return vendor


async def test_a_won_deal_brings_its_money_and_marker(session, quiet):
    won = (await session.changes(None)).deals[0]
    assert won.id == "21000005"
    assert won.url == "https://romashka.amocrm.ru/leads/detail/21000005"
    assert (won.pipeline, won.stage, won.outcome) == ("5100001", "142", "won")
    assert (won.amount_minor, won.currency) == (1_500_000, "RUB")
    assert (won.created_at, won.updated_at, won.closed_at) == (at(1767225600), at(1767230000), at(1767230000))
    assert won.marker == MARKER
    assert won.tags == ("calltracking",)
    assert not won.deleted


async def test_lost_and_open_deals_are_told_apart(session, quiet):
    _, lost, still_open = (await session.changes(None)).deals
    assert (lost.outcome, lost.amount_minor, lost.marker) == ("lost", 0, None)
    assert (still_open.outcome, still_open.closed_at) == ("open", None)


@pytest.mark.parametrize(("told", "author"), [(0, "robot"), (7100001, "7100001"), (None, None), ("7", None)])
async def test_who_made_a_deal_is_told_as_the_vendor_tells_it(session, quiet, load, told, author):
    changed = load("leads__changed")
    changed["_embedded"]["leads"][0]["created_by"] = told
    quiet.on("GET", LEADS, httpx.Response(200, json=changed))
    assert (await session.changes(None)).deals[0].author == author


async def test_one_short_page_is_the_whole_truth(session, quiet):
    page = await session.changes(None)
    assert not page.more
    assert page.payments == ()
    assert Cursor.load(page.cursor).walk.top == 1767230000


async def test_the_next_walk_stops_at_the_first_older_deal(session, quiet):
    first = await session.changes(None)
    second = await session.changes(first.cursor)
    assert [deal.id for deal in second.deals] == ["21000005"]  # changed within the overlap of a minute
    assert quiet.asked("/leads")[-1]["filter[updated_at][from]"] == str(1767230000 - 60)


async def test_an_account_without_deals_has_no_changes(session, vendor):
    vendor.on("GET", ACCOUNT, "account__filters_off")
    vendor.on("GET", LEADS, None)
    vendor.on("GET", EVENTS, None)
    page = await session.changes(None)
    assert page.deals == ()
    assert not page.more


async def test_a_deleted_deal_is_told_with_the_time_of_its_event_and_not_asked_for(session, quiet):
    quiet.on("GET", EVENTS, "events__lead_deleted")
    gone = (await session.changes(None)).deals[-1]
    assert (gone.id, gone.deleted, gone.amount_minor) == ("21000066", True, 0)
    assert gone.updated_at == at(1767230100)


@pytest.mark.parametrize("later_s", [0, 1], ids=["in the same second", "later"])
async def test_a_restored_deal_is_not_deleted(session, quiet, load, later_s):
    told = load("events__lead_deleted")
    (deleted,) = told["_embedded"]["events"]
    restored = {**deleted, "type": "lead_restored", "created_at": deleted["created_at"] + later_s}
    told["_embedded"]["events"].insert(0, restored)
    quiet.on("GET", EVENTS, httpx.Response(200, json=told))
    quiet.on("GET", f"{LEADS}/21000066", "lead__won")
    back = (await session.changes(None)).deals[-1]
    assert not back.deleted
    assert back.outcome == "won"


async def test_both_sides_of_a_merge_are_looked_at(session, quiet):
    side = [{"link": {"entity": {"type": "lead", "id": 21000088}}}]
    event = {"type": "entity_merged", "entity_type": "lead", "entity_id": 21000005, "created_at": 1767230001}
    merged = {"_embedded": {"events": [{**event, "value_before": side, "value_after": []}]}}
    quiet.on("GET", EVENTS, httpx.Response(200, json=merged))
    quiet.on("GET", f"{LEADS}/21000088", None)
    deals = (await session.changes(None)).deals
    assert [deal.id for deal in deals if deal.deleted] == ["21000088"]


async def test_a_deal_in_the_trash_brings_no_money(session, quiet):
    trash = {"_embedded": {"leads": [{"id": 7, "updated_at": 1767230000, "is_deleted": True, "price": 500}]}}
    quiet.on("GET", LEADS, httpx.Response(200, json=trash))
    [deal] = (await session.changes(None)).deals
    assert (deal.deleted, deal.amount_minor) == (True, 0)


async def test_a_date_in_the_future_does_not_blind_the_next_walk(session, vendor):
    vendor.on("GET", ACCOUNT, "account__filters_off")
    future = {"_embedded": {"leads": [{"id": 7, "updated_at": 1999999999}, {"id": 8, "updated_at": 1767230000}]}}
    headers = {"date": "Thu, 01 Jan 2026 01:15:00 GMT"}
    vendor.on("GET", LEADS, httpx.Response(200, json=future, headers=headers))
    vendor.on("GET", EVENTS, None)
    page = await session.changes(None)
    assert Cursor.load(page.cursor).walk.top == 1767230100


@pytest.mark.parametrize(
    ("deal", "amount"),
    [
        ({"price": 15000}, 1_500_000),
        ({"price": 0}, 0),
        ({"price": None}, 0),
        ({}, 0),
        ({"price": "15000"}, 1_500_000),
        ({"price": 15000, "price_with_minor_units": 15000.5}, 1_500_050),
        ({"price": 15001, "price_with_minor_units": 15000.55}, 1_500_055),
        ({"price": 15000, "price_with_minor_units": 1500050}, 1_500_050),
        ({"price": 15000, "price_with_minor_units": 7}, 1_500_000),
        ({"price": 15000, "price_with_minor_units": None}, 1_500_000),
        ({"price": "many"}, 0),
        ({"price": float("nan")}, 0),
        ({"price": 1e300}, 0),
    ],
)
def test_money_is_whole_minor_units(deal, amount):
    assert amount_minor(deal) == amount


def test_windows_overlap_and_go_on():
    end = 250
    while end < 200_000:
        page, limit = window(end)
        start = (page - 1) * limit
        assert limit <= 250
        assert start <= end - SHARED
        assert start + limit >= end + 100
        end = page * limit


@pytest.mark.parametrize("end", range(250))
def test_a_window_near_the_top_starts_above_what_was_read(end):
    page, limit = window(end)
    assert (page - 1) * limit <= end
    assert page * limit > 0


@pytest.mark.parametrize(
    "text",
    [
        None, "", "junk", "{", "[]", '{"v":1}', '{"since":"x","top":1,"end":1,"events":1,"tail":[]}', '{"walk": 1}',
        '{"walk": {}, "events": 1}',
    ],
)  # fmt: skip
def test_a_strange_cursor_starts_again(text):
    assert Cursor.load(text) == Cursor()


def test_a_cursor_survives_its_text():
    cursor = Cursor(Walk(since=1, top=2, end=3, tail=("4", "5"), back=7), events=6, followed=8, left=9)
    assert Cursor.load(cursor.dump()) == cursor


@pytest.mark.parametrize(
    ("trouble", "why"),
    [
        (httpx.Response(401, json={}), Why.UNAUTHORIZED),
        (httpx.Response(429, json={}), Why.THROTTLED),
        (httpx.Response(200, text="<html>"), Why.UNREADABLE),
        (httpx.ReadTimeout("slow"), Why.UNAVAILABLE),
    ],
)
@pytest.mark.parametrize("path", [LEADS, EVENTS])
async def test_trouble_is_the_installations(session, quiet, path, trouble, why):
    quiet.on("GET", path, trouble)
    with pytest.raises(InstallationError) as caught:
        await session.changes(None)
    assert caught.value.why is why


async def test_the_currency_is_asked_once_where_settings_have_none(http, app, grant, quiet):
    session = connector.open(http, app, grant, {"fields": {"HUB_CALL_ID": "700001"}})
    first = await session.changes(None)
    assert first.deals[0].currency == "RUB"
    asked = len(quiet.asked("/account"))
    await session.changes(first.cursor)
    assert len(quiet.asked("/account")) == asked


# -- an account that changes while it is read


class MovingAccount:
    """Deals that are created, changed, deleted and restored between any two requests; a stand-in for ``Api``.

    ``honours`` says whether filters are paid for, ``tells_time`` whether answers carry a date: only then walks may be
    quick. One second passes with each change, or none: times repeat.
    """

    address = "https://romashka.amocrm.ru"

    def __init__(self, seed, honours, deals, tells_time=False):
        self.dice = random.Random(seed)
        self.tells_time = tells_time
        self.honours = honours
        self.now = 1_767_000_000
        self.deals = {}
        self.trash = {}
        self.log = []
        self.busy = True
        for _ in range(deals):
            self._create()

    def _create(self):
        id_ = 21_000_000 + len(self.deals) + len(self.trash)
        self.deals[id_] = {
            "id": id_,
            "price": 0,
            "status_id": 1,
            "pipeline_id": 5,
            "created_at": self.now,
            "updated_at": self.now,
        }
        self._event("lead_added", id_)
        return id_

    def _event(self, kind, id_):
        self.log.append({"type": kind, "entity_id": id_, "entity_type": "lead", "created_at": self.now})

    def change(self):
        self.now += self.dice.choice((0, 0, 1, 30))
        kind = self.dice.choice(("create", "price", "price", "win", "delete", "delete", "restore", "reopen"))
        if kind == "create":
            self._create()
        elif kind == "restore" and self.trash:
            id_ = self.dice.choice(sorted(self.trash))
            self.deals[id_] = self.trash.pop(id_)
            self._event("lead_restored", id_)
        elif self.deals:
            deal = self.deals[self.dice.choice(sorted(self.deals))]
            if kind == "delete":
                self.trash[deal["id"]] = self.deals.pop(deal["id"])
                self._event("lead_deleted", deal["id"])
                return
            deal |= {"price": {"price": self.dice.randrange(9_999), "win": 100, "reopen": deal["price"]}.get(kind, 0)}
            deal |= {"status_id": 142 if kind == "win" else 1, "updated_at": self.now}
            self._event("sale_field_changed", deal["id"])

    def _tick(self):
        for _ in range(self.dice.randrange(4) if self.busy else 0):
            self.change()

    async def account(self):
        return {}

    async def deals_page(self, page, limit, since):
        self._tick()
        since = since if self.honours else 0
        found = [deal for deal in self.deals.values() if deal["updated_at"] >= since]
        found.sort(key=lambda deal: (-deal["updated_at"], deal["id"] % 7, deal["id"]))
        listed = [dict(deal) for deal in found[(page - 1) * limit : page * limit]]
        date = {"date": format_datetime(at(self.now), usegmt=True)} if self.tells_time else {}
        return listed, len(found) > page * limit, Answer(200, date, b"")

    async def events_page(self, page, since, types, entity):
        self._tick()
        found = [event for event in reversed(self.log) if event["created_at"] >= since and event["type"] in types]
        return found[(page - 1) * 100 : page * 100], len(found) > page * 100

    async def deal(self, deal):
        return dict(self.deals[int(deal)]) if int(deal) in self.deals else None

    async def deals_by_id(self, deals):
        if self.honours:
            return [dict(self.deals[int(id_)]) for id_ in deals if int(id_) in self.deals]
        newest = sorted(self.deals.values(), key=lambda deal: -deal["updated_at"])
        return [dict(deal) for deal in newest[:250]]


async def poll(account, ours, cursor):
    """Read until there is no more; keeps what a hub would keep."""
    for _ in range(500):
        page = await readback.changes(account, None, "RUB", cursor)
        for deal in page.deals:
            ours[deal.id] = None if deal.deleted else (deal.outcome, deal.amount_minor)
        cursor = page.cursor
        if not page.more:
            return cursor
    raise AssertionError("reading never ends")


def truth(account):
    return {
        str(deal["id"]): ("won" if deal["status_id"] == 142 else "open", deal["price"] * 100)
        for deal in account.deals.values()
    }


@pytest.mark.parametrize("honours", [True, False], ids=["filters on", "filters off"])
@pytest.mark.parametrize("tells_time", [True, False], ids=["with the date", "without it"])
@pytest.mark.parametrize("seed", range(6))
async def test_two_polls_after_the_last_change_equal_the_truth(seed, tells_time, honours):
    account, ours, cursor = MovingAccount(seed, honours, 700, tells_time), {}, None
    for _ in range(8):
        for _ in range(account.dice.randrange(400)):
            account.change()
        cursor = await poll(account, ours, cursor)
    account.busy = False
    account.now += 60  # from then on a walk is a whole one again
    for _ in range(2):
        cursor = await poll(account, ours, cursor)
    assert {id_: kept for id_, kept in ours.items() if kept} == truth(account)


async def test_without_events_deleted_deals_would_stay(monkeypatch):
    """Negative control of the test above."""

    async def no_events(api, since, types, entity):
        return []

    monkeypatch.setattr(readback, "events_since", no_events)
    account, ours = MovingAccount(0, False, deals=300), {}
    cursor = await poll(account, ours, None)
    for _ in range(200):
        account.change()
    account.busy = False
    await poll(account, ours, cursor)
    assert {id_: kept for id_, kept in ours.items() if kept} != truth(account)


async def test_a_quiet_account_costs_two_requests_a_poll():
    account, ours = MovingAccount(1, False, deals=700), {}
    account.busy = False
    account.now += 1_000
    cursor = await poll(account, ours, None)
    account.now += 1_000
    account.change()
    cursor = await poll(account, ours, cursor)
    asked = []
    account._tick = lambda: asked.append(1)
    await poll(account, ours, cursor)
    assert len(asked) == 2


async def test_within_a_minute_of_a_whole_walk_only_what_is_new_is_read():
    account, ours = MovingAccount(1, False, 2_000, tells_time=True), {}
    account.busy = False
    cursor = await poll(account, ours, None)
    account.now += 5
    new = account._create()
    asked = []
    account._tick = lambda: asked.append(1)
    await poll(account, ours, cursor)
    assert (len(asked), str(new) in ours) == (2, True)


@pytest.mark.parametrize("tells_time", [True, False], ids=["with the date", "without it"])
async def test_many_events_are_followed_bit_by_bit_without_going_down_the_list_again(tells_time):
    account, ours = MovingAccount(1, False, 1_000, tells_time), {}
    account.busy = False
    cursor = await poll(account, ours, None)
    account.now += 600
    for deal in account.deals.values():
        deal["updated_at"] = account.now
    account.now += 600
    for id_ in list(account.deals)[:500]:
        account.now += 1
        account.trash[id_] = account.deals.pop(id_)
        account.log.append({**account.log[-1], "type": "entity_merged", "entity_id": id_, "created_at": account.now})
    pages = []
    account._tick = lambda: pages.append(1)
    cursor = await poll(account, ours, cursor)
    assert {id_: kept for id_, kept in ours.items() if kept} == truth(account)
    assert len(pages) <= 40


async def test_quick_walks_follow_an_event_once_or_twice():
    account, ours = MovingAccount(1, False, 700, tells_time=True), {}
    account.busy = False
    cursor = await poll(account, ours, None)
    account.now += 5
    last = max(account.deals, key=lambda id_: (id_ % 7, id_))
    account._event("lead_restored", last)
    asked = []
    read = account.deal
    account.deal = lambda deal: asked.append(deal) or read(deal)
    for _ in range(4):
        cursor = await poll(account, ours, cursor)
        account.now += 10
    assert asked == [str(last)] * 2


def test_the_cursor_is_small():
    ids = [str(21_000_000 + place) for place in range(25)]
    cursor = Cursor(Walk(1767230000, 1767230000, 99_999, tuple(ids), 0, tuple(f"{id_}@1767230000" for id_ in ids)))
    assert len(cursor.dump()) < 1_500
    assert json.loads(cursor.dump())["v"] == 2
