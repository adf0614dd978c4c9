from dataclasses import replace
from datetime import timedelta
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.contract_inputs import STARTED, enquiry
from connectors.deciding import (
    Known,
    KnownDeal,
    NotFollowed,
    actions_of,
    asks_who_was_there,
    decide,
    decide_made,
    decide_on,
    dump_decision,
    load_decision,
)
from connectors.scenario import (
    LISTED,
    TALKED,
    AddNote,
    CallerState,
    CreateDeal,
    OfSeveral,
    Plan,
    ReopenDeal,
    Result,
    Rule,
    Trigger,
)

S, R = CallerState, Result
SALES, REPAIR = "51", "52"
OPEN = KnownDeal("20", "open", "7", SALES, "1")
OLDER = replace(OPEN, id="19", responsible="8")
ELSEWHERE = replace(OPEN, id="21", pipeline=REPAIR)
LEAD = KnownDeal("L9", "open", "7", "leads", is_lead=True)
WON = KnownDeal("5", "won", "7", SALES, "142", STARTED - timedelta(days=400))
LOST = KnownDeal("6", "lost", "7", SALES, "143", STARTED - timedelta(days=400))
LATELY = replace(LOST, closed_at=STARTED - timedelta(days=10))


def planned(*places, **changed):
    """A plan with a rule for each state, or state and result."""
    told = [place if isinstance(place, tuple) else (place, R.OTHERWISE) for place in places]
    rules = tuple(Rule(n, state, result, (AddNote(f"{state} {result}"),)) for n, (state, result) in enumerate(told, 1))
    plain = Plan(enquiry(), 1, Trigger.ENDED, rules, pipeline=SALES, answered_by="7")
    return replace(plain, **changed)


def of(*deals, contact="61"):
    return (Known(contact, deals),)


def state_of(people, **changed):
    return decide(planned(**changed), people).state


# -- what the caller is


@pytest.mark.parametrize(
    ("people", "state"),
    [
        ((), S.UNKNOWN),
        (of(), S.NO_DEALS),
        (of(OPEN), S.OPEN_DEAL),
        (of(OPEN, WON, LOST), S.OPEN_DEAL),
        (of(ELSEWHERE), S.OPEN_ELSEWHERE),
        (of(ELSEWHERE, OPEN), S.OPEN_DEAL),
        (of(LEAD), S.OPEN_LEAD),
        (of(LEAD, ELSEWHERE), S.OPEN_ELSEWHERE),
        (of(LEAD, contact=""), S.OPEN_LEAD),
        (of(WON), S.WON),
        (of(WON, LATELY), S.WON),
        (of(LOST), S.LOST),
        (of(LOST, LATELY), S.LOST_LATELY),
        (of(replace(LOST, closed_at=None)), S.LOST),
        (of() + of(contact="62"), S.SEVERAL_CONTACTS),
    ],
)
def test_a_caller_is_in_the_most_exact_state_that_fits(people, state):
    assert state_of(people) is state


@pytest.mark.parametrize(
    ("of_several", "answered_by", "deal"),
    [
        (OfSeveral.NEWEST, "8", "20"),
        (OfSeveral.OLDEST, "7", "19"),
        (OfSeveral.ANSWERERS, "8", "19"),
        (OfSeveral.ANSWERERS, "9", "20"),
        (OfSeveral.ANSWERERS, None, "20"),
    ],
)
def test_of_several_open_deals_the_one_the_scenario_says_is_written_on(of_several, answered_by, deal):
    plan = planned(of_several=of_several, answered_by=answered_by)
    assert decide(plan, of(OPEN, OLDER)).deal.id == deal


@pytest.mark.parametrize("of_several", OfSeveral)
def test_a_deal_that_is_here_comes_before_any_that_is_elsewhere(of_several):
    mine_elsewhere = replace(ELSEWHERE, responsible="8", id="2")
    plan = planned(of_several=of_several, answered_by="8")
    assert decide(plan, of(OPEN, mine_elsewhere)).deal == OPEN


@pytest.mark.parametrize("listed", sorted(LISTED))
def test_who_is_on_a_list_is_so_whatever_the_crm_knows(listed):
    assert state_of(of(OPEN), caller_is=listed) is listed


def test_a_deal_was_lost_lately_by_the_days_of_the_scenario():
    assert state_of(of(LATELY), lately_days=9) is S.LOST


def test_without_a_pipeline_of_its_own_every_open_deal_is_here():
    assert state_of(of(ELSEWHERE), pipeline=None) is S.OPEN_DEAL


# -- which deal and whose


def test_the_newest_open_deal_is_written_on():
    assert decide(planned(S.OPEN_DEAL), of(OLDER, OPEN)).deal == OPEN


def test_numbers_of_deals_are_compared_as_numbers():
    ninth, tenth = replace(OPEN, id="9"), replace(OPEN, id="10")
    assert decide(planned(), of(ninth, tenth)).deal == tenth


def test_a_deal_goes_before_a_newer_lead_and_one_here_before_a_newer_one_elsewhere():
    assert decide(planned(), of(LEAD, ELSEWHERE, OLDER)).deal == OLDER


def test_a_call_goes_to_whose_deal_is_open():
    decision = decide(planned(), of(WON) + of(OPEN, contact="62"))
    assert (decision.contact, decision.contacts) == ("62", 2)


def test_without_an_open_deal_it_is_the_oldest_contact():
    assert decide(planned(), of(contact="60") + of(contact="61")).contact == "60"


def test_a_lead_that_is_nobodys_goes_with_the_contact_there_is():
    decision = decide(planned(), of() + of(LEAD, contact=""))
    assert (decision.contact, decision.deal, decision.contacts) == ("61", LEAD, 1)


# -- what came of the call


@pytest.mark.parametrize(
    ("answered_by", "people", "result"),
    [
        ("7", of(OPEN), R.BY_RESPONSIBLE),
        ("8", of(OPEN), R.BY_OTHER),
        (None, of(OPEN), R.BY_UNLINKED),
        ("7", (), R.BY_OTHER),
        ("9", (Known("61", (), responsible="9"),), R.BY_RESPONSIBLE),
    ],
)
def test_who_talked_is_held_against_who_is_responsible(answered_by, people, result):
    assert decide(planned(answered_by=answered_by), people).result is result


def test_a_short_talk_is_short_whoever_talked():
    assert decide(planned(is_short=True), of(OPEN)).result is R.SHORT


@pytest.mark.parametrize("trigger", sorted(set(Trigger) - TALKED))
def test_nobody_talked_where_nobody_could(trigger):
    assert decide(planned(trigger=trigger, is_short=True), of(OPEN)).result is R.OTHERWISE


@pytest.mark.parametrize("trigger", sorted(TALKED))
def test_nobody_talked_unless_the_call_was_answered(trigger):
    assert decide(planned(trigger=trigger), of(OPEN)).result is R.BY_RESPONSIBLE
    assert decide(planned(trigger=trigger, enquiry=enquiry(answered=False)), of(OPEN)).result is R.OTHERWISE


# -- which rule


@pytest.mark.parametrize(
    ("people", "general"),
    [
        (of(ELSEWHERE), S.OPEN_DEAL),
        (of(LEAD), S.OPEN_DEAL),
        (of(WON), S.NO_OPEN_DEAL),
        (of(LOST), S.NO_OPEN_DEAL),
        (of(LATELY), S.LOST),
        (of(LATELY), S.NO_OPEN_DEAL),
        (of(), S.NO_OPEN_DEAL),
        (of() + of(OPEN, contact="62"), S.OPEN_DEAL),
        (of() + of(contact="62"), S.NO_OPEN_DEAL),
    ],
)
def test_a_state_without_a_rule_has_that_of_the_more_general_one(people, general):
    assert decide(planned(general), people).rule == 1


@pytest.mark.parametrize("other", [one for one in S if one not in (S.OPEN_ELSEWHERE, S.OPEN_DEAL)])
def test_a_rule_of_another_state_is_not_followed(other):
    assert decide(planned(other), of(ELSEWHERE)).rule is None


def test_the_state_decides_before_who_talked():
    plan = planned((S.OPEN_DEAL, R.BY_RESPONSIBLE), S.OPEN_ELSEWHERE)
    assert decide(plan, of(ELSEWHERE)).rule == 2


def test_a_state_that_says_nothing_of_a_result_leaves_it_to_the_more_general_one():
    plan = planned((S.LOST_LATELY, R.BY_RESPONSIBLE), S.NO_OPEN_DEAL, answered_by="8")
    assert decide(plan, of(LATELY)).rule == 2


def test_a_short_talk_without_a_rule_is_what_it_is_otherwise():
    plan = planned((S.OPEN_DEAL, R.BY_RESPONSIBLE), is_short=True)
    assert decide(plan, of(OPEN)).rule == 1


def test_where_no_rule_fits_nothing_is_done():
    plan = planned(S.UNKNOWN)
    assert actions_of(plan, decide(plan, of(OPEN))) == ()


def test_each_rule_that_was_not_followed_says_why():
    plan = planned(S.UNKNOWN, (S.OPEN_DEAL, R.BY_OTHER), (S.OPEN_DEAL, R.BY_RESPONSIBLE), S.OPEN_DEAL)
    told = {one.rule: one.why for one in decide(plan, of(OPEN)).passed}
    assert told == {1: NotFollowed.OTHER_STATE, 2: NotFollowed.OTHER_RESULT, 4: NotFollowed.LESS_EXACT}


# -- an enquiry that has its deal already


def test_for_a_deal_that_is_there_it_is_decided_by_that_deal_alone():
    decision = decide_on(planned(S.OPEN_DEAL), ELSEWHERE, "61")
    assert (decision.rule, decision.deal, decision.contact) == (1, ELSEWHERE, "61")


def test_a_deal_of_an_earlier_attempt_was_made_by_a_rule_that_makes_one():
    rules = (Rule(1, S.OPEN_DEAL, R.OTHERWISE, ()), Rule(2, S.UNKNOWN, R.OTHERWISE, (CreateDeal("x"),)))
    decision = decide_made(planned(rules=rules), of(OPEN))
    assert (decision.rule, decision.state) == (2, S.UNKNOWN)


def test_who_was_there_is_asked_only_where_rules_that_make_deals_differ_otherwise():
    making = (CreateDeal("x"), AddNote("n"))
    alike = (
        Rule(1, S.UNKNOWN, R.OTHERWISE, making),
        Rule(2, S.NO_OPEN_DEAL, R.OTHERWISE, (CreateDeal("y"), AddNote("n"))),
    )
    assert not asks_who_was_there(planned(rules=alike))
    assert asks_who_was_there(planned(rules=(*alike, Rule(3, S.WON, R.OTHERWISE, making[:1]))))


# -- whatever comes

deals = st.builds(
    KnownDeal,
    id=st.integers(1, 30).map(str),
    outcome=st.sampled_from(["open", "won", "lost"]),
    responsible=st.sampled_from(["7", "8", None]),
    pipeline=st.sampled_from([SALES, REPAIR, None]),
    closed_at=st.none() | st.integers(0, 500).map(lambda days: STARTED - timedelta(days=days)),
    is_lead=st.booleans(),
)
people = st.lists(
    st.builds(Known, st.sampled_from(["61", "62", "63"]), st.lists(deals, max_size=4).map(tuple)),
    max_size=3,
    unique_by=lambda known: known.contact,
).map(tuple)
places = st.lists(st.sampled_from(sorted(product(S, R))), unique=True, max_size=12)
plans = st.builds(
    lambda where, **changed: planned(*where, **changed),
    places,
    trigger=st.sampled_from(Trigger),
    answered_by=st.sampled_from(["7", "8", None]),
    caller_is=st.sampled_from([None, None, *sorted(LISTED)]),
    is_short=st.booleans(),
    pipeline=st.sampled_from([SALES, None]),
)


@given(plans, people)
def test_one_rule_is_followed_or_none_and_each_of_the_others_is_explained(plan, known):
    decision = decide(plan, known)
    followed = [] if decision.rule is None else [decision.rule]
    assert sorted([*followed, *(one.rule for one in decision.passed)]) == [rule.number for rule in plan.rules]


@given(plans, people)
def test_nothing_is_done_only_where_no_rule_fits(plan, known):
    decision = decide(plan, known)
    fits = NotFollowed.LESS_EXACT in {one.why for one in decision.passed}
    assert decision.rule is not None or not fits


@given(plans, people, st.randoms())
def test_the_order_of_rules_in_the_file_decides_nothing(plan, known, random):
    shuffled = list(plan.rules)
    random.shuffle(shuffled)
    assert decide(replace(plan, rules=tuple(shuffled)), known).rule == decide(plan, known).rule


@given(plans, people)
def test_the_same_is_decided_again(plan, known):
    assert decide(plan, known) == decide(plan, known)


@given(people)
def test_with_a_rule_for_each_general_state_something_is_always_done(known):
    plan = planned(S.UNKNOWN, S.NO_OPEN_DEAL, S.OPEN_DEAL)
    assert decide(plan, known).rule is not None


@given(plans, people)
def test_a_decision_is_kept_as_it_is(plan, known):
    decision = decide(plan, known)
    assert load_decision(dump_decision(decision)) == decision


# -- what is opened again


def reopening(*rules, **changed):
    """A plan whose rules open the lost deal of the main pipeline again, or write a note."""
    made = tuple(
        Rule(n, state, R.OTHERWISE, (ReopenDeal(SALES, "2"),) if is_reopening else (AddNote("x"),))
        for n, (state, is_reopening) in enumerate(rules, 1)
    )
    return planned(rules=made, **changed)


def test_the_deal_that_was_lost_last_is_opened_again():
    older = replace(LOST, id="9")
    decision = decide(reopening((S.LOST, True)), of(older, LATELY))
    assert (decision.rule, decision.deal) == (1, LATELY)


@pytest.mark.parametrize("deal", [replace(LOST, pipeline=REPAIR), replace(LOST, is_lead=True)])
def test_where_no_deal_of_that_pipeline_was_lost_a_more_general_rule_is_followed(deal):
    decision = decide(reopening((S.LOST, True), (S.NO_OPEN_DEAL, False)), of(deal))
    assert (decision.rule, decision.deal) == (2, None)


def test_whose_deal_it_is_is_the_contact_that_is_written_to():
    people = (Known("61", (), "5"), Known("62", (LOST,), "6"))
    assert decide(reopening((S.LOST, True)), people).contact == "62"


def test_a_deal_that_was_won_is_left_in_peace():
    assert decide(reopening((S.LOST, True), (S.WON, False)), of(LOST, WON)).rule == 2
