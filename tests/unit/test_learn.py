"""A site's own habits from its calls, made by a known law, without telling who called."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random

import pytest

from tracking_core.habits import SHEET_HABITS, Delays, Interest
from tracking_core.learn import FEWEST, Exposure, HeardCall, is_sound, learn
from tracking_core.match import LeaseSpan

AT = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
REGIONS = ("msk", "spb", "kzn", "ekb", "nsk", "ufa", "sam", "oms")
MEAN = 120.0  # minutes: how late the late callers call


def span(place: int, idle: float, region: str | None = None, **facts) -> LeaseSpan:
    seen = AT - timedelta(minutes=idle)
    return LeaseSpan(
        "+7", f"v{place}", f"visit-{place}", seen - timedelta(minutes=4), seen, seen, region=region, **facts
    )


def made(count: int, mean: float, seed: int = 1) -> list[HeardCall]:
    """Calls on numbers that change hands about every 20 min; each is made by one of the past holders."""
    dice, calls = Random(seed), []
    for _ in range(count):
        idle = dice.expovariate(1 / mean)
        region = dice.choice(REGIONS)
        others = [span(place, dice.uniform(0, 400), dice.choice(REGIONS)) for place in range(1, 20)]
        spans = sorted([span(0, idle, region), *others], key=lambda one: one.idle(AT))
        calls.append(HeardCall(AT, spans, region))
    return calls


def exposure(calls: list[HeardCall]) -> Exposure:
    spans = [one for call in calls for one in call.spans]
    return Exposure(len(spans), Counter(one.region for one in spans), Counter(one.interest for one in spans))


def learned(calls: list[HeardCall]):
    return learn(calls, exposure(calls))


LATE = made(300, MEAN)


@pytest.fixture(scope="module")
def late():
    """The habits of a site whose callers all call late."""
    return learned(LATE)


def test_late_callers_are_learned_though_none_is_certain(late):
    assert late.delays.survival(60) > 3 * SHEET_HABITS.delays.survival(60)


def test_what_is_learned_is_near_the_truth(late):
    assert late.delays.tail == pytest.approx(MEAN, rel=0.25)


def test_callers_from_the_visits_region_are_learned():
    assert learned(made(300, 5)).region_differs < 0.03


def test_the_shares_of_regions_are_those_of_visits(late):
    assert sum(late.regions.values()) == pytest.approx(1)


def test_shares_of_the_mixture_stay_shares(late):
    assert sum(share for share, _ in late.delays.parts) == pytest.approx(1)


def test_where_no_phone_tells_its_region_none_is_assumed():
    calls = [HeardCall(call.at, call.spans) for call in LATE]
    assert (learned(calls).regions, learned(calls).region_known < 0.1) == ({}, True)


def test_what_is_learned_can_be_matched_with(late):
    assert is_sound(late) and is_sound(SHEET_HABITS)


@pytest.mark.parametrize(
    "absurd",
    [
        {"background": float("nan")},
        {"background": float("inf")},
        {"tap_share": 1.0},
        {"region_differs": 1.0},
        {"region_known": -0.1},
        {"regions": {"RU-MOW": 0.7, "KZ": 0.7}},
        {"regions": {"RU-MOW": 1.0, "KZ": 0.0}},
        {"delays": Delays(((0.5, 3.0), (0.1, 60.0)))},
        {"delays": Delays(((0.5, 0.0), (0.5, 60.0)))},
        {"delays": Delays(((0.5, 3.0), (0.5, 60.0)), present=(1.0, 5.0))},
        {"delays": Delays(((0.5, 3.0), (0.5, 60.0)), present=(0.5, 0.0))},
        {"interests": {**SHEET_HABITS.interests, Interest.KEEN: float("inf")}},
    ],
)
def test_figures_that_cannot_be_are_not_sound(absurd):
    assert not is_sound(replace(SHEET_HABITS, **absurd))


def test_a_few_calls_teach_nothing():
    assert learned(made(FEWEST - 1, MEAN)) == SHEET_HABITS


def test_calls_nobody_could_have_made_teach_nothing():
    assert learn([HeardCall(AT, [])] * 200, exposure(LATE)) == SHEET_HABITS


def test_calls_of_a_known_caller_teach_what_they_say():
    spans = [span(0, 0), span(1, 90)]
    told = learned([HeardCall(AT, spans, visit_id="visit-1")] * 400)
    assert told.delays.survival(60) > 0.5 > SHEET_HABITS.delays.survival(60)


def test_taps_are_learned_from_calls_off_the_page():
    tap = (AT - timedelta(seconds=5),)
    calls = [HeardCall(AT, [span(0, 0, taps=tap if place % 4 else ())]) for place in range(400)]
    assert learned(calls).tap_share == pytest.approx(0.75, abs=0.05)


def test_who_never_sees_the_number_is_learned_not_to_call():
    spans = [span(0, 40, interest=Interest.SEEN), span(1, 20, interest=Interest.UNSEEN)]
    told = learned([HeardCall(AT, spans, visit_id="visit-0")] * 400)
    assert told.interests[Interest.UNSEEN] < 0.02 < 1 < told.interests[Interest.SEEN]


def test_stray_calls_weigh_beside_the_calls_of_a_visit():
    few = Exposure(1_000, {}, {}, stray_per_day=1.44)
    assert learn(LATE, few).background == pytest.approx(1.44 / 1440 * 1_000 / 300)
