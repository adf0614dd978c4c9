"""The comparison can fail: each test breaks one thing and sees it named."""

from dataclasses import replace

import pytest

from sandbox.demo.calls import CallPlan, Disorder, Kind
from sandbox.demo.crm import CrmState, Deal
from sandbox.demo.crm_amocrm import read_state
from sandbox.demo.forms import FormPlan
from sandbox.demo.truth import (
    HubCall,
    HubForm,
    crm_revenue_minor,
    doubled_contacts,
    doubled_deals,
    forms_of_their_visitors,
    judge_matches,
    lost_calls,
    lost_forms,
    read_call,
    read_forms,
    unproven,
)

MARK = "a" * 32
OTHER = "b" * 32
PHONE = "9161234567"
TOKENS = {5: "visitor-five"}


@pytest.fixture
def call() -> CallPlan:
    return CallPlan(
        number=1,
        kind=Kind.FRESH,
        at=1_000.0,
        wait_s=5,
        talk_s=60,
        caller=f"+7{PHONE}",
        operator="101",
        disorder=Disorder.NONE,
        visit=0,
        person=5,
    )


@pytest.fixture
def told() -> HubCall:
    return HubCall(
        provider_call_id="demo-0001",
        visitor="visitor-five",
        placement=None,
        reason="held",
        markers=(MARK,),
        delivered=True,
        refs=frozenset({("deal", "1")}),
    )


@pytest.fixture
def deal() -> Deal:
    return Deal(1, (MARK,), (PHONE,), 50_000, is_won=False, created_at=2_000.0, closed_at=None)


def crm(*deals: Deal, traces: dict[str, frozenset[tuple[str, int]]] | None = None) -> CrmState:
    found = {mark: frozenset({("deal", one.id)}) for one in deals for mark in one.markers}
    return CrmState(deals, found if traces is None else traces, [PHONE], 1, 0)


def test_a_call_that_is_in_both_is_not_lost(call: CallPlan, told: HubCall, deal: Deal) -> None:
    assert lost_calls([call], {"demo-0001": told}, crm(deal)) == []


def test_a_call_the_hub_does_not_know_is_lost(call: CallPlan, deal: Deal) -> None:
    (lost,) = lost_calls([call], {}, crm(deal))

    assert lost.why == "the hub does not know the call"


def test_a_call_whose_marker_the_crm_does_not_hold_is_lost(call: CallPlan, told: HubCall, deal: Deal) -> None:
    (lost,) = lost_calls([call], {"demo-0001": told}, crm(replace(deal, markers=(OTHER,))))

    assert lost.why == "nothing in the CRM carries its marker"


def test_a_call_with_an_undelivered_delivery_is_lost(call: CallPlan, told: HubCall, deal: Deal) -> None:
    (lost,) = lost_calls([call], {"demo-0001": replace(told, delivered=False)}, crm(deal))

    assert lost.why == "the CRM has it, but the hub does not count it as delivered"


def test_a_note_on_an_older_deal_is_a_trace_too(call: CallPlan, told: HubCall) -> None:
    noted = crm(traces={MARK: frozenset({("note", 9)})})

    assert lost_calls([call], {"demo-0001": told}, noted) == []


def test_a_call_of_staff_cannot_be_lost(call: CallPlan) -> None:
    assert lost_calls([replace(call, kind=Kind.OUTBOUND)], {}, crm()) == []


def test_the_crm_alone_shows_that_a_call_is_missing(call: CallPlan, deal: Deal) -> None:
    assert unproven([call, replace(call, number=2)], [], crm(deal)) == 1


def test_two_deals_with_one_marker_are_one_too_many(deal: Deal) -> None:
    again = replace(deal, id=2, phones=("9160000000",))

    assert doubled_deals(crm(deal, again)) == [again]


def test_a_second_deal_while_the_first_is_open_is_one_too_many(deal: Deal) -> None:
    second = replace(deal, id=2, markers=(OTHER,), created_at=3_000.0)

    assert doubled_deals(crm(deal, second)) == [second]


def test_a_second_deal_after_the_first_was_closed_is_right(deal: Deal) -> None:
    closed = replace(deal, closed_at=2_500.0)
    second = replace(deal, id=2, markers=(OTHER,), created_at=3_000.0)

    assert doubled_deals(crm(closed, second)) == []


def test_deals_of_hidden_callers_are_each_right(deal: Deal) -> None:
    hidden = replace(deal, phones=())

    assert doubled_deals(crm(hidden, replace(hidden, id=2, markers=(OTHER,)))) == []


def test_two_contacts_with_one_phone_are_one_too_many() -> None:
    assert doubled_contacts(CrmState([], {}, [PHONE, PHONE, "9160000000"], 3, 0)) == 1


def test_a_match_with_the_visitor_who_called_is_right(call: CallPlan, told: HubCall) -> None:
    matching = judge_matches([call], TOKENS, {"demo-0001": told})

    assert (matching.right, matching.by_reason) == (1, {"held": {"right": 1}})


@pytest.mark.parametrize(("reason", "sure"), [("last_holder", 1), ("probable", 0), ("static_number", 0)])
def test_only_a_visitor_named_for_sure_was_named(call: CallPlan, told: HubCall, reason: str, sure: int) -> None:
    assert judge_matches([call], TOKENS, {"demo-0001": replace(told, reason=reason)}).named_rightly == sure


def test_a_match_with_another_visitor_is_wrong(call: CallPlan, told: HubCall) -> None:
    matching = judge_matches([call], TOKENS, {"demo-0001": replace(told, visitor="visitor-six")})

    assert (matching.right, matching.wrong) == (0, 1)


def test_a_match_with_a_placement_nobody_called_from_is_wrong(call: CallPlan, told: HubCall) -> None:
    matching = judge_matches([call], TOKENS, {"demo-0001": replace(told, visitor=None, placement="Leaflet")})

    assert matching.wrong == 1


def test_a_match_of_a_number_nobody_was_shown_is_wrong(call: CallPlan, told: HubCall) -> None:
    matching = judge_matches([replace(call, person=None, visit=None)], TOKENS, {"demo-0001": told})

    assert matching.wrong == 1


def test_saying_honestly_nobody_is_not_wrong(call: CallPlan, told: HubCall) -> None:
    honest = replace(told, visitor=None)
    matching = judge_matches([replace(call, person=None)], TOKENS, {"demo-0001": honest})

    assert (matching.wrong, matching.unmatched, matching.unmatched_rightly) == (0, 1, 1)


def test_revenue_is_that_of_won_deals_with_our_marker(deal: Deal) -> None:
    won = replace(deal, is_won=True)
    walk_in = replace(won, id=2, markers=())
    still_open = replace(deal, id=3)

    assert crm_revenue_minor(crm(won, walk_in, still_open)) == 50_000


def test_revenue_is_what_was_paid_where_something_was(deal: Deal) -> None:
    owing = replace(deal, is_won=True, paid=20_000)
    advanced = replace(deal, id=2, paid=7_000)

    assert crm_revenue_minor(crm(owing, advanced)) == 27_000


@pytest.fixture
def form() -> FormPlan:
    return FormPlan(0, 1_500.0, 0, 5, f"+7{PHONE}", "Анна", "Нужен замер")


WRITTEN = HubForm("visitor-five", (MARK,), delivered=True)


def test_a_form_that_is_in_both_is_not_lost(form: FormPlan, deal: Deal) -> None:
    assert lost_forms([form], [WRITTEN], crm(deal)) == []


@pytest.mark.parametrize(
    "told", [[], [replace(WRITTEN, delivered=False)], [replace(WRITTEN, markers=(OTHER,))]], ids=["no", "late", "other"]
)
def test_a_form_that_one_side_does_not_have_is_lost(form: FormPlan, deal: Deal, told: list[HubForm]) -> None:
    (lost,) = lost_forms([form], told, crm(deal))

    assert lost.provider_call_id == "form-0000"


def test_a_form_whose_phone_no_deal_has_is_lost(form: FormPlan, deal: Deal) -> None:
    assert len(lost_forms([form], [WRITTEN], crm(replace(deal, phones=("9160000000",))))) == 1


def test_the_crm_alone_shows_that_a_form_is_missing(call: CallPlan, form: FormPlan, deal: Deal) -> None:
    assert unproven([call], [form], crm(deal)) == 1


@pytest.mark.parametrize(("visitor", "right"), [("visitor-five", 1), ("visitor-six", 0), (None, 0)])
def test_only_a_form_given_to_who_wrote_it_is_right(
    form: FormPlan, deal: Deal, visitor: str | None, right: int
) -> None:
    assert forms_of_their_visitors([form], TOKENS, [replace(WRITTEN, visitor=visitor)], crm(deal)) == right


def test_of_the_apis_enquiries_only_forms_are_read() -> None:
    told = {
        "kind": "form",
        "match": {"visitor": "visitor-five"},
        "deliveries": [{"id": MARK, "state": "delivered"}],
    }

    assert read_forms([told, {**told, "kind": "call"}]) == [WRITTEN]


def test_the_apis_call_is_read() -> None:
    read = read_call(
        {
            "provider_call_id": "demo-0001",
            "match": {"visitor": "v", "placement": None, "reason": "held"},
            "deliveries": [{"id": MARK, "state": "delivered", "refs": [{"kind": "deal", "id": "21"}]}],
        }
    )

    assert (read.markers, read.delivered, read.refs) == ((MARK,), True, frozenset({("deal", "21")}))


def test_the_sandboxes_state_is_read() -> None:
    lead = {
        "id": 21,
        "price": 500,
        "status_id": 142,
        "created_at": 1,
        "closed_at": 2,
        "is_deleted": False,
        "custom_fields_values": [{"field_code": "HUB_CALL_ID", "values": [{"value": f"hub:{MARK}"}]}],
        "links": {"contacts": [{"id": 61, "is_main": True}]},
    }
    phone = {"field_code": "PHONE", "values": [{"value": "+7 916 123-45-67"}]}
    contact = {"id": 61, "is_deleted": False, "custom_fields_values": [phone]}
    trashed = {**lead, "id": 22, "is_deleted": True}
    note = {"id": 81, "params": {"uniq": f"hub:{OTHER}"}}

    read = read_state({"leads": [lead, trashed], "contacts": [contact], "notes": [note], "tasks": []})

    assert read.deals == [Deal(21, (MARK,), (PHONE,), 50_000, True, 1, 2)]
    assert read.traces == {MARK: frozenset({("deal", 21)}), OTHER: frozenset({("note", 81)})}
