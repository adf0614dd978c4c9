"""The day is data: the same seed gives the same day, and it holds what was promised."""

from collections import Counter
from datetime import datetime, timedelta, timezone
from urllib.parse import parse_qs, urlsplit

import pytest

from sandbox.demo.calls import CallPlan, Disorder, Kind
from sandbox.demo.fates import Outcome
from sandbox.demo.forms import SHORTEST_S
from sandbox.demo.gestures import GestureKind
from sandbox.demo.kitchens import KITCHENS
from sandbox.demo.people import ROBOT, Consent, colleague
from sandbox.demo.plan import Day, make_day, make_days
from sandbox.demo.visits import AWAY_S
from sandbox.demo.windows import WINDOWS

MOSCOW = timezone(timedelta(hours=3))


@pytest.fixture(scope="module")
def day() -> Day:
    return make_day()


@pytest.fixture(scope="module")
def small_day() -> Day:
    return make_day(visits=200, calls=30, kills=3)


@pytest.fixture(scope="module")
def kitchens() -> Day:
    return make_days()[1]


def kinds(day: Day) -> Counter[Kind]:
    return Counter(call.kind for call in day.calls)


def test_the_same_seed_gives_the_same_day(small_day: Day) -> None:
    assert make_day(visits=200, calls=30, kills=3) == small_day


def test_another_seed_gives_another_day(small_day: Day) -> None:
    assert make_day(seed=2, visits=200, calls=30, kills=3).calls != small_day.calls


def test_a_day_has_the_promised_visits_calls_and_sources(day: Day) -> None:
    assert (len(day.visits), len(day.calls), day.sources) == (2_200, 170, 12)


def test_a_day_has_every_kind_of_call(day: Day) -> None:
    assert set(kinds(day)) == set(Kind)


def test_a_small_day_has_every_kind_of_call(small_day: Day) -> None:
    assert set(kinds(small_day)) == set(Kind)


def test_calls_are_answered_and_missed(day: Day) -> None:
    assert Counter(call.is_answered for call in day.calls)[False] >= 15


def test_some_callers_hide_their_number(day: Day) -> None:
    assert any(call.caller is None for call in day.calls if call.reaches_crm)


def test_telephony_is_disorderly_in_every_way(day: Day) -> None:
    assert {call.disorder for call in day.calls} == set(Disorder)


def test_calls_of_staff_do_not_belong_into_the_crm(day: Day) -> None:
    inside = {call.kind for call in day.calls if not call.reaches_crm}

    assert inside == {Kind.OUTBOUND, Kind.INTERNAL}


def test_a_caller_was_on_the_site_before_he_called(day: Day) -> None:
    from_visits = [call for call in day.calls if call.visit is not None]

    assert all(day.visits[call.visit or 0].at < call.at for call in from_visits)


def test_calls_hours_after_the_visit_come_hours_after_it(day: Day) -> None:
    later = [call for call in day.calls if call.kind is Kind.LATER]

    assert all(call.at - day.visits[call.visit or 0].leaves >= 5_400 for call in later)


def test_a_repeated_call_has_an_earlier_call_of_the_same_caller(day: Day) -> None:
    def called_before(call: CallPlan) -> bool:
        return any(one.caller == call.caller and one.ends < call.at for one in day.calls)

    assert all(called_before(call) for call in day.calls if call.kind is Kind.REPEAT)


def test_visits_of_one_person_never_touch(day: Day) -> None:
    left: dict[int, float] = {}
    gaps = []
    for visit in day.visits:
        if visit.person in left:
            gaps.append(visit.at - left[visit.person])
        left[visit.person] = visit.leaves

    assert gaps
    assert min(gaps) >= AWAY_S


def test_everybody_comes_in_opening_hours(day: Day) -> None:
    hours = {datetime.fromtimestamp(visit.at, MOSCOW).hour for visit in day.visits}

    assert hours == set(range(9, 20))


def test_paid_visits_carry_click_ids_and_utm(day: Day) -> None:
    paid = [visit.arrival for visit in day.visits if visit.arrival.source == "yandex_direct"]
    queries = [parse_qs(urlsplit(arrival.url).query) for arrival in paid]

    assert all(query["yclid"] and query["utm_campaign"] for query in queries)


def test_a_click_id_is_never_given_twice(day: Day) -> None:
    queries = (parse_qs(urlsplit(visit.arrival.url).query) for visit in day.visits)
    clicks = [query["gclid"][0] for query in queries if "gclid" in query]

    assert len(set(clicks)) == len(clicks) > 100


def test_most_agree_some_stay_anonymous_and_fewer_opt_out(day: Day) -> None:
    consents = Counter(person.consent for person in day.people)

    assert consents[Consent.FULL] > 20 * consents[Consent.ANONYMOUS] > 20 * consents[Consent.OFF] > 0


def test_everybody_has_an_address_of_his_own(day: Day) -> None:
    assert len({person.address for person in day.people}) == len(day.people)


def test_a_robot_and_a_colleague_come_too(day: Day) -> None:
    assert [day.people[visit.person] for visit in day.strangers] == [ROBOT, colleague(WINDOWS)]


def test_the_hub_hears_of_all_visits_but_those_of_who_opted_out(day: Day) -> None:
    assert day.visits_told == 2_202 - day.visits_with(Consent.OFF) < 2_202


def test_four_in_ten_calls_from_phones_begin_with_a_tap(day: Day) -> None:
    def is_mobile(call: CallPlan) -> bool:
        return call.kind is Kind.FRESH and day.people[call.person or 0].is_mobile

    dialled = {call.visit: call.at for call in day.calls if is_mobile(call)}
    taps = [one for one in day.gestures if one.kind is GestureKind.TAP and one.visit in dialled]

    assert 0.3 < sum(0 < dialled[tap.visit] - tap.at <= 6.1 for tap in taps) / len(dialled) < 0.5


def test_some_numbers_are_copied_and_some_gestures_are_in_vain(day: Day) -> None:
    callers = {call.visit for call in day.calls}

    assert any(one.kind is GestureKind.COPY for one in day.gestures)
    assert any(one.visit not in callers for one in day.gestures)


def test_no_gesture_comes_before_its_visit(day: Day) -> None:
    assert all(one.at > day.visits[one.visit].at for one in day.gestures)


def test_spend_has_kopecks(day: Day) -> None:
    assert any(one.cost_minor % 100 for one in day.spend)


def test_sales_win_lose_correct_and_reopen(day: Day) -> None:
    again = [(fate.outcome, fate.again) for fate in day.fates.values() if fate.again_s]

    assert sorted(again) == [
        (Outcome.LOST, Outcome.WON),
        (Outcome.WON, Outcome.OPEN),
        (Outcome.WON, Outcome.WON),
    ]


def test_a_reopened_deal_is_of_somebody_who_calls_once(day: Day) -> None:
    calls = Counter(call.caller for call in day.calls if call.reaches_crm)
    reopened = [caller for caller, fate in day.fates.items() if fate.again_s]

    assert [calls[caller] for caller in reopened] == [1, 1, 1]


def test_the_first_companys_day_does_not_depend_on_the_others(day: Day) -> None:
    assert make_days()[0] == day


def test_the_second_companys_day_is_a_quarter_of_the_first_ones(kitchens: Day) -> None:
    assert (kitchens.company, len(kitchens.visits), len(kitchens.calls)) == (KITCHENS, 550, 42)


def test_beside_a_small_day_the_second_company_still_has_every_kind_of_call() -> None:
    assert set(kinds(make_days(visits=200, calls=30)[1])) == set(Kind)


def test_two_companies_share_no_number_no_host_no_owner_and_no_address(day: Day, kitchens: Day) -> None:
    def own(of: Day) -> set[str]:
        company, numbers = of.company, of.company.numbers
        placed = [one.number for one in company.placements]
        shown = [*of.pool, *company.free_pool_for(len(of.visits)), *placed, *numbers.spare, numbers.office]
        told = [numbers.free, numbers.overflow, numbers.free_overflow, numbers.spare_overflow]
        people = {person.address for person in of.people if person is not ROBOT}
        return {*shown, *told, *people, company.host, company.spare_host, company.owner, *company.mango}

    assert own(day) & own(kitchens) == set()


def test_forms_are_of_people_who_never_call_and_never_write_twice(kitchens: Day) -> None:
    writers = [form.person for form in kitchens.forms]

    assert len(set(writers)) == len(writers) == 11
    assert set(writers).isdisjoint(call.person for call in kitchens.calls)


def test_a_form_is_sent_during_a_visit_that_is_long_enough_by_who_may_be_recognised(kitchens: Day) -> None:
    visits = [(form, kitchens.visits[form.visit]) for form in kitchens.forms]

    assert all(visit.at < form.at < visit.leaves for form, visit in visits)
    assert all(visit.leaves - visit.at >= SHORTEST_S for _, visit in visits)
    assert {kitchens.people[form.person].consent for form in kitchens.forms} == {Consent.FULL}


def test_who_writes_has_a_phone_and_a_fate_of_his_own(kitchens: Day) -> None:
    phones = {form.phone for form in kitchens.forms}

    assert len(phones) == len(kitchens.forms)
    assert phones.isdisjoint(call.caller for call in kitchens.calls)
    assert phones <= kitchens.fates.keys()


def test_some_pay_an_advance_and_some_of_them_owe_the_rest(kitchens: Day) -> None:
    advanced = [fate for fate in kitchens.fates.values() if fate.advance_minor]

    assert {fate.is_owed for fate in advanced} == {True, False}
    assert all(0 < fate.advance_minor < fate.price * 100 for fate in advanced)


def test_in_the_first_company_nobody_writes_and_nobody_pays_an_advance(day: Day) -> None:
    assert (len(day.forms), sum(fate.advance_minor for fate in day.fates.values())) == (0, 0)


def test_the_hub_is_killed_as_often_as_asked(small_day: Day) -> None:
    assert len({kill.call for kill in small_day.kills}) == 3


@pytest.mark.parametrize(
    ("visits", "calls", "kills", "sentence"),
    [
        (200, 5, 0, "A day has 20 to 2000 calls, not 5."),
        (50, 30, 0, "A day with 30 calls has 60 to 20000 visits, not 50."),
        (200, 30, 9, "In a day with 30 calls the hub can be killed 0 to 7 times, not 9."),
    ],
)
def test_sizes_that_make_no_day_are_refused(visits: int, calls: int, kills: int, sentence: str) -> None:
    with pytest.raises(ValueError) as refused:
        make_day(visits=visits, calls=calls, kills=kills)

    assert str(refused.value) == sentence
