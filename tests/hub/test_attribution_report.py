"""The report by every model: seeded journeys on both engines, shares worked out by hand, and sums that never change."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import insert

from hub import report
from hub.errors import HubError
from hub.report import FEW, LAST, MARKOV, MODELS, Caveat, Report
from hub.store import journeys, tables
from hub.store.db import Db
from hub.store.reports import Span
from hub.store.tx import Tx
from tests.hub.world import World
from tracking_core import attribution_report
from tracking_core.attribution import LOOK_BACK
from tracking_core.attribution_data import Step

FIRST, LATEST = date(2026, 11, 1), date(2026, 11, 30)
CALLED = datetime(2026, 11, 20, 12, tzinfo=UTC)
SHARED = ("enquiries", "calls", "qualified", "deals", "won", "revenue_minor")


def row(tx: Tx, model: Any, **values: Any) -> int:
    """Write one row and return its key."""
    table = tables.table_of(model)
    key = next(iter(table.primary_key.columns))
    return int(tx.execute(insert(table).values(**values).returning(key)).scalar_one())


@dataclass
class Customer:
    """A tenant of a test's own, whose visitors come and call as the test says."""

    tx: Tx

    def __post_init__(self) -> None:
        self.id = row(self.tx, tables.Tenant, name="Окна", created_at=CALLED)
        mine, named = {"tenant_id": self.id}, f"{self.id}"
        self.site = row(
            self.tx, tables.Site, **mine, key=named, name="okna", hosts=[], zone="UTC", currency="RUB", hold_s=600,
            overflow_number="+74951000000",
        )  # fmt: skip
        self.telephony = row(
            self.tx, tables.TelephonyAccount, **mine, name="office", adapter="x", token=named, zone="UTC", secrets=b""
        )
        self.crm = row(
            self.tx, tables.Installation, **mine, connector="acme", account=named, host="", hook_token=named,
            status="active", connected_at=CALLED, facts={},
        )  # fmt: skip
        self.count = 0

    def visits(self, *path: tuple[str, float]) -> int:
        """Let a new visitor come by each source so many days before the call; return his last visit."""
        self.count += 1
        mine = {"tenant_id": self.id, "site_id": self.site}
        visitor = row(self.tx, tables.Visitor, **mine, token=f"{self.id}:{self.count}", first_seen_at=CALLED)
        visit = 0
        for source, days in path:
            at = CALLED - timedelta(days=days)
            visit = row(
                self.tx, tables.Visit, **mine, visitor_id=visitor, started_at=at, last_seen_at=at, medium="", content="",
                channel="paid_search" if source else "direct", source=source, campaign="autumn" if source else "", term="",
                click_ids="[]", referrer_host="", landing="/",
            )  # fmt: skip
        return visit

    def placement(self) -> int:
        told = {"tenant_id": self.id, "site_id": self.site, "name": f"{self.id}", "starts_on": None, "ends_on": None}
        return row(self.tx, tables.Placement, **told, source="billboard", campaign="ring-road")

    def calls(
        self,
        *,
        visit: int | None = None,
        placement: int | None = None,
        deals: tuple[int, ...] = (),
        at: datetime = CALLED,
        direction: str | None = "inbound",
    ) -> int:
        """Write a qualified enquiry with its match, and a won deal for each amount; without a direction it is a form."""
        self.count += 1
        mine, named = {"tenant_id": self.id}, f"{self.id}:{self.count}"
        judged = {"first_time": True, "qualified": True, "qualified_why": ""}
        enquiry = row(self.tx, tables.Enquiry, **mine, kind="call" if direction else "form", key=named, at=at, **judged)
        if direction:
            row(
                self.tx, tables.Call, **mine, enquiry_id=enquiry, account_id=self.telephony, provider_call_id=named,
                direction=direction, talk_s=60, wait_s=5, durations_differ=False, status="answered",
            )  # fmt: skip
        if visit or placement:
            told = {"visit_id": visit, "placement_id": placement, "confidence": 1.0, "reason": "", "words": ""}
            row(self.tx, tables.Match, **mine, enquiry_id=enquiry, **told, candidates=[], made_at=at)
        for number, amount in enumerate(deals):
            row(
                self.tx, tables.Deal, **mine, installation_id=self.crm, external_id=f"{named}:{number}", pipeline="", stage="",
                outcome="won", amount_minor=amount, currency="RUB", created_at=at, updated_at=at, enquiry_id=enquiry,
            )  # fmt: skip
        return enquiry


# -- who has what, by each model

ads, mail, direct = ("ads", 14.0), ("mail", 7.0), ("", 1.0)


def one_long_journey(tx: Tx) -> int:
    """An advertisement, a letter, then by himself; he calls and pays 100.00. Another calls from a billboard."""
    customer = Customer(tx)
    customer.calls(visit=customer.visits(ads, mail, direct), deals=(100_00,))
    customer.calls(placement=customer.placement(), deals=(7,))
    customer.calls()
    return customer.id


def brought(made: Report, figure: str = "revenue_minor") -> dict[str, float]:
    """What each source has, leaving out those with nothing."""
    return {row.source: getattr(row, figure) for row in made.rows if getattr(row, figure)}


async def by(store: Db, tenant_id: int, model: str) -> Report:
    return await report.roi(store, tenant_id, FIRST, LATEST, model)


@pytest.mark.parametrize(
    ("model", "shares"),
    [
        ("last", {"(direct)": 100_00}),
        ("first", {"ads": 100_00}),
        ("last_non_direct", {"mail": 100_00}),
        ("linear", {"(direct)": 33_34, "ads": 33_33, "mail": 33_33}),
        ("time_decay", {"(direct)": 54_70, "ads": 15_10, "mail": 30_20}),
        ("position_40_20_40", {"(direct)": 40_00, "ads": 40_00, "mail": 20_00}),
        ("position_20_60_20", {"(direct)": 20_00, "ads": 20_00, "mail": 60_00}),
        ("position_10_50_40", {"(direct)": 40_00, "ads": 10_00, "mail": 50_00}),
        ("shapley", {"(direct)": 33_34, "ads": 33_33, "mail": 33_33}),
    ],
)
async def test_a_deal_is_divided_between_the_visits_before_it(store: Db, model: str, shares: dict[str, int]) -> None:
    made = await by(store, store.write_now(one_long_journey), model)
    assert brought(made) == {**shares, "billboard": 7}
    assert made.total.revenue_minor == 100_07


@pytest.mark.parametrize("model", MODELS)
async def test_a_call_of_nobody_stays_unknown_and_visits_and_spend_stay_where_they_are(store: Db, model: str) -> None:
    made = await by(store, store.write_now(one_long_journey), model)
    assert brought(made, "calls")["(unknown)"] == 1
    assert brought(made, "visits") == {"ads": 1, "mail": 1, "(direct)": 1}


async def test_parts_of_calls_are_told_to_nine_places(store: Db) -> None:
    made = await by(store, store.write_now(one_long_journey), "linear")
    (mail,) = [row for row in made.rows if row.source == "mail"]
    assert (mail.calls, mail.qualified, mail.won) == (0.333333333,) * 3
    assert (made.total.calls, made.total.won) == (3, 2)


async def test_a_source_s_line_is_the_sum_of_its_campaigns(store: Db) -> None:
    made = await by(store, store.write_now(one_long_journey), "linear")
    assert {one.line.source: one.line.revenue_minor for one in made.sources} == {**brought(made), "(unknown)": 0}


async def test_the_last_touch_is_what_the_report_says_when_no_model_is_named(store: Db) -> None:
    tenant_id = store.write_now(one_long_journey)
    assert await report.roi(store, tenant_id, FIRST, LATEST) == await by(store, tenant_id, LAST)


async def test_a_model_that_is_not_there_is_refused(store: Db) -> None:
    with pytest.raises(HubError, match=r"There is no model best: choose one of last, first, .*, shapley, markov\."):
        await by(store, store.write_now(one_long_journey), "best")


# -- which visits are of the journey


@pytest.mark.parametrize(
    ("path", "shares"),
    [
        ((("early", 90.0), ("late", 1.0)), {"early": 50, "late": 50}),
        ((("early", 90.001), ("late", 1.0)), {"late": 100}),
        ((("early", 5.0), ("late", -0.001)), {"early": 100}),
        ((("early", 100.0), ("late", 91.0)), {"(unknown)": 100}),
    ],
    ids=["at_the_edge_of_90_days", "before_the_90_days", "after_the_call", "none_within"],
)
async def test_visits_of_90_days_up_to_the_call_count(store: Db, path: Any, shares: dict[str, int]) -> None:
    def write(tx: Tx) -> int:
        customer = Customer(tx)
        customer.calls(visit=customer.visits(*path), deals=(100,))
        return customer.id

    assert brought(await by(store, store.write_now(write), "linear")) == shares


async def test_a_match_that_was_corrected_counts_no_more(store: Db) -> None:
    def write(tx: Tx) -> int:
        customer = Customer(tx)
        right, wrong = customer.visits(ads), customer.visits(mail)
        call = customer.calls(visit=right, deals=(100,))
        told = {"visit_id": wrong, "confidence": 1.0, "reason": "", "words": "", "candidates": []}
        row(tx, tables.Match, tenant_id=customer.id, enquiry_id=call, **told, made_at=CALLED, superseded_at=CALLED)
        return customer.id

    assert brought(await by(store, store.write_now(write), "linear")) == {"ads": 100}


async def test_a_form_takes_part_as_a_call_does_but_is_no_call(store: Db) -> None:
    def write(tx: Tx) -> int:
        customer = Customer(tx)
        customer.calls(visit=customer.visits(ads, mail), deals=(50,), direction=None)
        return customer.id

    made = await by(store, store.write_now(write), "linear")
    assert brought(made) == {"ads": 25, "mail": 25}
    assert (made.total.enquiries, made.total.calls, made.total.qualified) == (1, 0, 1)


@pytest.mark.parametrize("model", MODELS)
async def test_enquiries_are_calls_and_what_was_written_but_not_our_own_calls(store: Db, model: str) -> None:
    def write(tx: Tx) -> int:
        customer = Customer(tx)
        for direction in ("inbound", "inbound", None, "outbound", "internal"):
            customer.calls(visit=customer.visits(ads), direction=direction)
        return customer.id

    made = await by(store, store.write_now(write), model)
    assert (brought(made, "enquiries"), brought(made, "calls")) == ({"ads": 3}, {"ads": 2})


# -- what a model learns from


def the_sheet_s_journeys(tx: Tx) -> int:
    """Journeys J of the DNI sheet, section 13; beside them another tenant's, who has a hundred lost ones by B."""
    customer = Customer(tx)
    a, b = ("A", 3.0), ("B", 2.0)
    for _ in range(3):
        customer.calls(visit=customer.visits(a, b), deals=(1_000_000,))
    customer.calls(visit=customer.visits(b), deals=(1_000_000,))
    for _ in range(2):
        customer.visits(a)
        customer.visits(a, ("C", 1.0))
        customer.calls(visit=customer.visits(b, ("C", 1.0)), deals=(1_000_000,))
    stranger = Customer(tx)
    for _ in range(100):
        stranger.visits(b)
    return customer.id


async def test_markov_is_the_sheet_s(store: Db) -> None:
    made = await by(store, store.write_now(the_sheet_s_journeys), MARKOV)
    sheet = {"A": 2, "B": 2.857143, "C": 1.142857}
    assert brought(made, "calls") == pytest.approx(sheet, abs=1e-6)
    assert brought(made, "won") == pytest.approx(sheet, abs=1e-6)
    assert brought(made) == pytest.approx({name: part * 1_000_000 for name, part in sheet.items()}, abs=1)


async def test_shapley_is_the_sheet_s(store: Db) -> None:
    made = await by(store, store.write_now(the_sheet_s_journeys), "shapley")
    assert brought(made, "calls") == {"A": 1.5, "B": 3.5, "C": 1}


async def test_markov_says_that_it_learned_from_few_journeys(store: Db) -> None:
    tenant_id = store.write_now(the_sheet_s_journeys)
    assert (await by(store, tenant_id, MARKOV)).caveat == Caveat("few_journeys", 10)
    assert (await by(store, tenant_id, "shapley")).caveat is None


async def test_enough_journeys_need_no_caveat(store: Db, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report, "FEW", 10)
    assert (await by(store, store.write_now(the_sheet_s_journeys), MARKOV)).caveat is None


async def test_journeys_that_came_to_nothing_are_counted_by_their_steps(store: Db) -> None:
    tenant_id = store.write_now(the_sheet_s_journeys)
    steps = await store.read(journeys.lost_steps, Span(tenant_id, FIRST, LATEST, "UTC"), LOOK_BACK)
    a, c = ("A", "autumn"), ("C", "autumn")
    assert {(one.before, one.after): one.times for one in steps} == {
        (None, a): 4, (a, None): 2, (a, c): 2, (c, None): 2,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("path", "steps"),
    [
        ((("old", 99.0), ("older", 40.0)), []),
        ((("old", 40.0), ("new", 2.0)), [(None, "old"), ("old", "new"), ("new", None)]),
        ((("old", 99.0), ("new", 2.0)), [(None, "new"), ("new", None)]),
    ],
    ids=["nobody_in_the_days", "came_before_too", "too_long_ago"],
)
async def test_a_journey_that_came_to_nothing_ends_in_the_days_and_begins_up_to_90_days_before_their_end(
    store: Db, path: Any, steps: list[tuple[str | None, str | None]]
) -> None:
    def write(tx: Tx) -> int:
        customer = Customer(tx)
        customer.visits(*path)
        return customer.id

    span = Span(store.write_now(write), FIRST, LATEST, "UTC")
    found = await store.read(journeys.lost_steps, span, LOOK_BACK)
    assert {short(one): one.times for one in found} == dict.fromkeys(steps, 1)


def short(step: Step) -> tuple[str | None, str | None]:
    return (step.before[0] if step.before else None, step.after[0] if step.after else None)


# -- the sums

PATH = st.lists(st.tuples(st.sampled_from(["", "ads", "mail", "search"]), st.floats(-1, 100)), min_size=1, max_size=4)
ENQUIRY = st.tuples(PATH, st.sampled_from(["visit", "placement", "nobody", "did not call"]), st.lists(st.integers(0, 10**9), max_size=2))  # fmt: skip


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(enquiries=st.lists(ENQUIRY, max_size=8))
async def test_every_column_sums_to_the_same_in_every_model(store: Db, enquiries: list[Any]) -> None:
    def write(tx: Tx) -> int:
        customer = Customer(tx)
        placement = customer.placement()
        for path, how, deals in enquiries:
            visit = customer.visits(*path)
            if how != "did not call":
                found = {"visit": {"visit": visit}, "placement": {"placement": placement}}.get(how, {})
                customer.calls(**found, deals=tuple(deals))
        return customer.id

    tenant_id = store.write_now(write)
    by_last = await by(store, tenant_id, LAST)
    for model in MODELS:
        made = await by(store, tenant_id, model)
        assert made.total == by_last.total
        for figure in SHARED:
            assert sum(getattr(row, figure) for row in made.rows) == pytest.approx(getattr(by_last.total, figure))
        assert sum(row.revenue_minor for row in made.rows) == by_last.total.revenue_minor


def test_a_model_that_lost_a_kopeck_would_be_seen(store: Db, monkeypatch: pytest.MonkeyPatch) -> None:
    """The control of the sums: shares that are rounded each for itself do not add up."""

    def rounded(amount: int, weights: Mapping[Any, Any]) -> dict[Any, int]:
        return {name: int(amount * part / sum(weights.values())) for name, part in weights.items()}

    monkeypatch.setattr(attribution_report, "split_money", rounded)
    tenant_id = store.write_now(one_long_journey)
    assert store.read_now(report._report, tenant_id, FIRST, LATEST, "linear").total.revenue_minor == 100_06


# -- the programming interface


async def ask(world: World, **query: str) -> httpx.Response:
    headers = {"authorization": f"Bearer {world.applied.api_token}"}
    days = {"from": "2026-11-01", "to": "2026-11-30"}
    return await world.web.get("/api/v1/report/roi", params={**days, **query}, headers=headers)


async def test_the_interface_names_the_model_and_says_what_it_lacks(shared: World) -> None:
    told = (await ask(shared, model="markov")).json()
    assert told["model"] == "markov"
    assert told["note"].startswith("This model learned from 0 journeys: that is too few")


async def test_without_a_model_the_interface_answers_by_the_last_touch(shared: World) -> None:
    told = (await ask(shared)).json()
    assert (told["model"], told["note"]) == ("last", "")


async def test_a_model_that_is_not_there_is_a_refusal_with_the_models_there_are(shared: World) -> None:
    answer = await ask(shared, model="best")
    assert answer.status_code == 400
    assert answer.json()["error"].startswith("There is no model best: choose one of last, first,")


def test_the_documentation_names_every_model_and_every_limit() -> None:
    docs = Path(__file__).parents[2] / "docs"
    interface, page = ((docs / name).read_text(encoding="utf-8") for name in ("api.md", "attribution.md"))
    assert [model for model in MODELS if f"`{model}`" not in interface] == []
    assert f"fewer than {FEW} journeys" in page
    assert f"Beyond {attribution_report.MOST_NAMES} sources" in page
