"""Each gap between telephony and the CRM is named, a clean day has none, and what cannot be asked is not called gone."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from connectors.protocol import Delivery, Grant, InstallationError, Outcome, Ref, Status, Why
from connectors.telling import Said
from hub import reconcile as reconciling
from hub.delivery import lanes
from hub.gaps import ENDLESS, LISTED, LOST, Gap
from hub.leaving import erase_some
from hub.reconcile_crm import Asker
from hub.store import crm, erasures, inbox
from hub.store import reconcile as reading
from hub.store.db import Db
from hub.store.ledger_chain import Flaw, What
from hub.store.said import pack
from hub.store.tables import Attempt, Lane, LedgerEntry, ScenarioVersion, table_of
from hub.store.tables import Delivery as DeliveryRow
from hub.store.vault import Vault
from tests.hub.office import Office
from tests.hub.seed import NOW

_entry = table_of(LedgerEntry)
MINUTES = timedelta(minutes=1)


@pytest.fixture
def office(store: Db, vault: Vault) -> Office:
    return Office(store, vault)


def answers(office: Office, outcome: Outcome) -> None:
    async def answer(batch: Sequence[Delivery]) -> Mapping[str, Outcome]:
        return {one.id: outcome for one in batch}

    office.acme.answer = answer


async def account(office: Office) -> Mapping[str, Any]:
    (one,) = (await office.reconciled())["accounts"]
    return one  # type: ignore[no-any-return]


# -- a clean day


async def test_a_clean_day_has_no_gap(office: Office) -> None:
    await office.one_call("c1")
    await office.one_call("c2", talk_s=0)
    office.write("f1")
    office.look()
    office.seal()
    office.clock.forward(hours=2)
    told = await office.reconciled()
    assert (told["gaps"], told["gap_counts"], told["unfinished_since"]) == ([], {}, None)
    assert told["received"] == {
        "events": 2, "unseen": 0, "calls": 2, "going_on": 0, "ours": 0, "letters": 1, "looked_at": 3
    }  # fmt: skip
    (one,) = told["accounts"]
    figures = {name: one[name] for name in ("planned", "not_asked", "delivered", "present", "gone", "not_checked")}
    assert figures == {
        "planned": 1, "not_asked": 2, "delivered": 1, "present": 1, "gone": 0, "not_checked": ""
    }  # fmt: skip


async def test_many_pages_are_counted_as_one(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "PAGE", 2)
    for number in range(5):
        office.tell(f"c{number}", talk_s=60 if number % 2 else 0, at=NOW + number * MINUTES)
    office.look()
    await office.deliver()
    told = await office.reconciled()
    assert (told["received"]["events"], told["received"]["calls"], told["gap_counts"]) == (5, 5, {})
    assert (told["accounts"][0]["planned"], told["accounts"][0]["present"]) == (2, 2)


async def test_what_the_rules_ask_nothing_for_is_told_once(office: Office) -> None:
    await office.one_call("c1", talk_s=0)
    office.db.write_now(inbox.look_at, office.tenant_id, "call", f"{office.exchange.id}:c1", NOW)
    office.look()
    asked = select(_entry.c.installation_id, _entry.c.facts).where(_entry.c.kind == "not_asked")
    rows = office.db.read_now(lambda tx: tx.execute(asked).all())
    assert [tuple(row) for row in rows] == [(office.installation_id, '{"scenario_version":1}')]


async def test_a_call_that_goes_on_is_no_gap(office: Office) -> None:
    office.tell("c1", is_over=False)
    office.look()
    office.clock.forward(minutes=10)
    told = await office.reconciled()
    assert (told["gaps"], told["received"]["going_on"]) == ([], 1)
    assert told["unfinished_since"] == NOW.isoformat()


# -- each gap


async def test_an_event_that_nobody_looked_at_is_a_gap_after_five_minutes(office: Office) -> None:
    office.tell("c1")
    office.clock.forward(minutes=4)
    assert await office.gaps() == []
    office.clock.forward(minutes=2)
    assert await office.gaps() == [(Gap.NOT_LOOKED_AT, "")]


async def test_the_trouble_of_a_look_is_told(office: Office) -> None:
    office.tell("c1")
    due = office.db.write_now(inbox.take_due, NOW)
    assert due is not None
    office.db.write_now(inbox.postpone, due, NOW + timedelta(hours=1), "KeyError: 'x'")
    office.clock.forward(minutes=6)
    assert await office.gaps() == [(Gap.NOT_LOOKED_AT, "KeyError: 'x'")]


async def test_a_letter_that_nobody_looked_at_is_a_gap(office: Office) -> None:
    office.write("f1")
    office.clock.forward(minutes=6)
    assert await office.gaps() == [(Gap.NOT_LOOKED_AT, "")]


async def test_a_call_whose_next_look_is_overdue_is_a_gap(office: Office) -> None:
    office.tell("c1", is_over=False)
    office.look()
    office.db.write_now(inbox.look_at, office.tenant_id, "call", f"{office.exchange.id}:c1", NOW)
    office.clock.forward(minutes=6)
    assert await office.gaps() == [(Gap.NOT_LOOKED_AT, "")]


async def test_a_call_of_which_telephony_never_told_the_end_is_a_gap(office: Office) -> None:
    office.tell("c1", is_over=False)
    office.look()
    office.clock.forward(hours=6)
    assert await office.gaps() == [(Gap.NOT_PLANNED, ENDLESS)]


async def test_an_enquiry_that_nobody_planned_is_a_gap(office: Office) -> None:
    office.lose(ScenarioVersion)
    await office.one_call(talk_s=0)
    assert await office.gaps() == [(Gap.NOT_PLANNED, "")]


async def test_an_enquiry_from_before_the_account_was_connected_is_none(office: Office) -> None:
    office.lose(ScenarioVersion)
    office.tell("c1", talk_s=0, at=NOW - timedelta(hours=1))
    office.look()
    assert await office.gaps() == []


async def test_connecting_an_account_again_excuses_nothing(office: Office) -> None:
    office.lose(ScenarioVersion)
    await office.one_call(talk_s=0)
    later = {"status": crm.ACTIVE, "connected_at": NOW + timedelta(hours=1)}
    row = table_of(crm.Installation)
    office.db.write_now(lambda tx: tx.execute(update(row).values(**later)) and None)
    assert await office.gaps() == [(Gap.NOT_PLANNED, "")]


async def test_a_delivery_that_vanished_is_a_gap(office: Office) -> None:
    await office.one_call()
    office.lose(Attempt)
    office.lose(DeliveryRow)
    assert await office.gaps() == [(Gap.NOT_PLANNED, LOST)]


async def test_what_waits_for_an_hour_is_a_gap_and_says_why(office: Office) -> None:
    async def away(batch: Sequence[Delivery]) -> Mapping[str, Outcome]:
        raise InstallationError(Why.UNAVAILABLE, Said("The CRM is away."), hold=timedelta(hours=3))

    office.acme.answer = away
    await office.one_call()
    office.clock.forward(minutes=59)
    assert await office.gaps() == []
    office.clock.forward(minutes=2)
    assert await office.gaps() == [(Gap.WAITING_LONG, f"unavailable: {pack(Said('The CRM is away.'))}")]


async def test_what_is_parked_is_a_gap_with_its_sentence(office: Office) -> None:
    answers(office, Outcome(Status.REJECTED, why=Why.INVALID, said=(Said("The stage was deleted."),)))
    await office.one_call()
    assert await office.gaps() == [(Gap.PARKED, pack(Said("The stage was deleted.")))]


async def test_what_was_delivered_and_names_nothing_is_a_gap(office: Office) -> None:
    answers(office, Outcome(Status.DELIVERED))
    await office.one_call()
    assert await office.gaps() == [(Gap.WITHOUT_OBJECT, "")]


def erase(office: Office) -> None:
    """Have all that was read from the customer's account deleted, as a person does after it left."""
    now = office.clock.now()
    of = office.db.read_now(crm.installation, office.tenant_id, office.installation_id)
    office.db.write_now(crm.forget_access, of, "", office.vault)
    office.db.write_now(erasures.ask, office.tenant_id, of.id, now, erasures.HERE, now)
    lane = table_of(Lane)
    office.db.write_now(
        lambda tx: (
            tx.execute(
                update(lane)
                .where(lane.c.tenant_id == of.tenant_id, lane.c.installation_id == of.id)
                .values(leased_until=now)
            ).rowcount
        )
    )
    while office.db.write_now(erase_some, now, office.vault):
        pass


async def test_on_which_card_it_was_the_customer_may_have_deleted(office: Office) -> None:
    await office.one_call()
    erase(office)
    assert await office.gaps() == []


async def test_what_is_delivered_to_nothing_after_that_is_a_gap_again(office: Office) -> None:
    await office.one_call()
    erase(office)
    grant = Grant("31", "acme.example", "access", "refresh", office.clock.now() + timedelta(days=1))
    office.clock.forward(minutes=1)
    office.db.write_now(crm.install, office.tenant_id, "acme", grant, office.clock.now(), office.vault)
    answers(office, Outcome(Status.DELIVERED))
    await office.one_call("c2")
    assert await office.gaps() == [(Gap.WITHOUT_OBJECT, "")]


async def test_a_note_alone_is_an_object_that_nobody_is_asked_for(office: Office) -> None:
    answers(office, Outcome(Status.DELIVERED, refs=(Ref("note", "5"),)))
    await office.one_call()
    office.acme.gone = {"5"}
    told = await account(office)
    assert (told["delivered"], told["present"], told["gone"]) == (1, 0, 0)


async def test_a_deal_that_the_crm_has_no_more_is_a_gap(office: Office) -> None:
    await office.one_call()
    office.acme.gone = {office.deal()}
    told = await office.reconciled()
    assert [(one["gap"], one["detail"]) for one in told["gaps"]] == [(Gap.GONE, f"deal {office.deal()}")]
    assert (told["accounts"][0]["present"], told["accounts"][0]["gone"]) == (0, 1)


async def test_what_the_ledger_does_not_tell_is_a_gap(office: Office) -> None:
    await office.one_call()
    office.lose(LedgerEntry, _entry.c.kind == "delivered")
    assert await office.gaps() == [(Gap.UNTOLD, "")]


async def test_a_ledger_that_was_changed_is_a_gap(office: Office) -> None:
    await office.one_call()
    office.seal()
    changed = update(_entry).where(_entry.c.seq == 2).values(facts="{}")
    office.db.write_now(lambda tx: tx.execute(changed) and None)
    assert (Gap.LEDGER_BROKEN, Flaw(2, What.HASH).sentence) in await office.gaps()


async def test_a_gap_names_its_enquiry_its_moment_and_its_delivery(office: Office) -> None:
    answers(office, Outcome(Status.DELIVERED))
    await office.one_call()
    (one,) = (await office.reconciled())["gaps"]
    sent = office.db.read_now(lambda tx: tx.execute(select(table_of(DeliveryRow))).one())
    assert (one["enquiry"], one["at"]) == (sent.enquiry_id, NOW.isoformat())
    assert (one["installation"], one["delivery"]) == (office.installation_id, sent.id)


async def test_all_gaps_are_counted_and_not_all_are_listed(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hub.gaps.LISTED", 3)
    for number in range(5):
        office.tell(f"c{number}")
    office.clock.forward(minutes=6)
    told = await office.reconciled()
    assert (len(told["gaps"]), told["gap_counts"]) == (3, {Gap.NOT_LOOKED_AT: 5})
    assert LISTED == 200


# -- what belongs to the day


async def test_another_tenants_gaps_are_not_told(office: Office, store: Db, vault: Vault) -> None:
    other = Office(store, vault, "32")
    other.tell("c1")
    other.write("f1")
    office.clock.forward(minutes=6)
    other.clock.forward(minutes=6)
    told = await office.reconciled()
    assert (told["gaps"], told["received"]["events"], told["received"]["letters"]) == ([], 0, 0)
    assert len((await other.reconciled())["gaps"]) == 2


async def test_what_was_before_the_period_is_not_told(office: Office) -> None:
    answers(office, Outcome(Status.DELIVERED))
    await office.one_call()
    office.clock.forward(days=2)
    told = await office.reconciled()
    assert (told["gaps"], told["received"]["calls"]) == ([], 0)
    assert (await office.reconciled(NOW - MINUTES))["received"]["calls"] == 1


async def test_what_was_told_late_belongs_to_the_day_it_was_told(office: Office) -> None:
    office.clock.forward(days=5)
    office.tell("c1", talk_s=0, at=NOW + timedelta(hours=1))
    office.write("f1", NOW + timedelta(hours=1))
    office.look()
    told = await office.reconciled()
    assert (told["received"]["calls"], told["received"]["letters"], told["gap_counts"]) == (1, 1, {})
    assert told["accounts"][0]["not_asked"] == 2


# -- a CRM that cannot be asked


async def unchecked(office: Office, why: str) -> Mapping[str, Any]:
    """Reconcile a day whose deal is gone, of which nobody could know; return what is told of the account."""
    office.acme.gone = {office.deal()}
    told = await office.reconciled()
    (one,) = told["accounts"]
    assert (told["gaps"], one["gone"], one["present"], one["not_checked"]) == ([], 0, 0, why)
    assert told["unfinished_since"] is not None
    return one  # type: ignore[no-any-return]


async def test_an_account_that_is_left_alone_is_not_asked(office: Office) -> None:
    await office.one_call()
    claim = office.db.write_now(lanes.claim_of, *place(office), NOW, MINUTES)
    assert claim is not None
    office.db.write_now(lanes.hold, claim, NOW, Why.FORBIDDEN, Said("It is not paid for."), timedelta(hours=1))
    assert (await unchecked(office, "held"))["detail"] == f"forbidden: {pack(Said('It is not paid for.'))}"


async def test_an_account_in_trouble_while_it_is_asked_is_held_and_nothing_is_gone(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def missing(refs: Sequence[Ref]) -> frozenset[Ref]:
        raise InstallationError(Why.THROTTLED, Said("Too many requests."))

    await office.one_call()
    monkeypatch.setattr(office.acme, "missing", missing)
    assert (await unchecked(office, "held"))["detail"] == f"throttled: {pack(Said('Too many requests.'))}"


async def test_an_account_that_must_be_connected_again_is_not_asked(office: Office) -> None:
    await office.one_call()
    office.db.write_now(crm.set_status, *place(office), crm.REAUTHORISE, "The access was taken back.")
    assert (await unchecked(office, "reauthorise"))["detail"] == "The access was taken back."


async def test_a_lane_that_is_served_is_waited_for_and_not_taken(office: Office) -> None:
    await office.one_call()
    claim = office.db.write_now(lanes.claim_of, *place(office), NOW, timedelta(hours=1))
    await unchecked(office, "busy")
    assert office.clock.now() - NOW >= timedelta(seconds=29)
    assert claim is not None
    assert office.db.write_now(lanes.kept, claim) == 0


async def test_without_a_registration_nobody_is_asked_and_nothing_is_held(office: Office) -> None:
    await office.one_call()
    office.worker.apps = {}
    await unchecked(office, "unregistered")
    assert office.db.read_now(lanes.told, office.tenant_id)[office.installation_id]["hold_why"] == ""


async def test_the_lane_is_free_again_after_asking(office: Office) -> None:
    await office.one_call()
    assert (await account(office))["present"] == 1
    assert office.db.write_now(lanes.claim_of, *place(office), office.clock.now(), MINUTES) is not None


async def test_asking_does_not_say_that_an_accounts_trouble_is_over(office: Office) -> None:
    await office.one_call()
    trouble = {"hold_count": 3, "hold_why": "forbidden: It is not paid for.", "share": 4, "wake_at": NOW - MINUTES}
    row = table_of(Lane)
    office.db.write_now(lambda tx: tx.execute(update(row).values(**trouble)) and None)
    assert (await account(office))["present"] == 1
    kept = office.db.read_now(lambda tx: tx.execute(select(*(row.c[name] for name in trouble))).one())
    assert kept._asdict() == trouble


async def test_few_are_asked_for_in_one_turn_of_the_lane(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reconciling, "_AT_ONCE", 2)
    for number in range(5):
        office.tell(f"c{number}")
    office.look()
    await office.deliver()
    before = len(office.acme.tokens)
    assert (await account(office))["present"] == 5
    assert len(office.acme.tokens) - before == 3


async def test_objects_nobody_asked_about_are_not_gone(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    async def missing(refs: Sequence[Ref]) -> frozenset[Ref]:
        return frozenset({Ref("deal", "of somebody else")})

    await office.one_call()
    monkeypatch.setattr(office.acme, "missing", missing)
    asker = Asker(office.worker, office.tenant_id)
    assert await asker.gone(office.installation_id, [Ref("deal", office.deal())]) == frozenset()


def place(office: Office) -> tuple[int, int]:
    return office.tenant_id, office.installation_id
