"""Attribution by a rule: the first table of the DNI sheet, section 13, and what must hold for any journeys."""

import re
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracking_core.attribution import (
    MODELS,
    NONE,
    Assists,
    Credit,
    Journey,
    Touch,
    TouchRules,
    assists,
    attribute,
    position,
    shares,
    split_money,
    time_decay,
    touches_that_count,
)
from tracking_core.attribution_report import BY_RULE

END = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
CHANNELS = ("direct", "email", "organic", "yandex_direct")
DIRECT = ("direct", "bookmark")


def journey(*path: tuple[str, float], value: int = 0, converted: bool = True) -> Journey:
    """A journey from (channel, days before its end) pairs."""
    touches = (Touch(channel, END - timedelta(days=days), is_direct=channel in DIRECT) for channel, days in path)
    return Journey(tuple(touches), END, converted, value)


P = journey(("yandex_direct", 14), ("organic", 7), ("direct", 3), ("email", 1), ("direct", 0), value=100_00)


def names(of: Journey, rules: TouchRules) -> list[str]:
    return [touch.channel for touch in touches_that_count(of, rules)]


# -- the rule models

SHEET = {  # shares of yandex_direct, organic, direct, email
    "first": (1, 0, 0, 0),
    "last": (0, 0, 1, 0),
    "last_non_direct": (0, 0, 0, 1),
    "linear": (0.2, 0.2, 0.4, 0.2),
    "time_decay": (0.073557, 0.147114, 0.512839, 0.266490),
    "position_40_20_40": (0.4, 0.066667, 0.466667, 0.066667),
    "position_20_60_20": (0.2, 0.2, 0.4, 0.2),
    "position_10_50_40": (0.1, 0.166667, 0.566667, 0.166667),
}


def test_the_sheet_has_every_model():
    assert SHEET.keys() == MODELS.keys()


@pytest.mark.parametrize("name", SHEET)
def test_the_sheet_s_journey(name):
    told = shares(P, MODELS[name])
    found = [float(told[channel]) for channel in ("yandex_direct", "organic", "direct", "email")]
    assert found == pytest.approx(SHEET[name], abs=1e-6)


def test_the_sheet_s_decay_weights():
    weights = [float(weight) for weight in time_decay()(touches_that_count(P))]
    assert weights == pytest.approx([0.25, 0.5, 0.742997, 0.905724, 1], abs=1e-6)


def test_a_touch_older_by_the_half_life_weighs_half():
    told = shares(journey(("a", 40), ("b", 37)), time_decay(timedelta(days=3)))
    assert told == {"a": Fraction(1, 3), "b": Fraction(2, 3)}


def test_a_journey_far_older_than_the_half_life_still_has_its_shares():
    told = shares(journey(("a", 80), ("b", 79)), time_decay(timedelta(seconds=1)))
    assert told == {"a": 0, "b": 1}


@pytest.mark.parametrize("name", SHEET)
def test_a_journey_of_direct_touches_only_is_direct(name):
    assert shares(journey(("direct", 2), ("direct", 1)), MODELS[name]) == {"direct": 1}


@pytest.mark.parametrize("name", SHEET)
def test_a_single_touch_has_everything(name):
    assert shares(journey(("email", 1)), MODELS[name]) == {"email": 1}


@pytest.mark.parametrize("name", SHEET)
def test_a_conversion_without_touches_is_credited_to_none(name):
    assert shares(journey(), MODELS[name]) == {NONE: 1}


@pytest.mark.parametrize(
    ("percents", "older", "later"),
    [((40, 20, 40), 0.5, 0.5), ((10, 50, 40), 0.2, 0.8), ((0, 20, 80), 0, 1), ((0, 100, 0), 0.5, 0.5)],
)
def test_of_two_touches_each_has_its_own_share_renormalised(percents, older, later):
    told = shares(journey(("a", 2), ("b", 1)), position(*percents))
    assert told == {"a": pytest.approx(older), "b": pytest.approx(later)}


def test_any_shares_may_be_given_to_the_places():
    told = shares(journey(("a", 4), ("b", 3), ("c", 2), ("d", 1)), position(70, 10, 20))
    assert told == {"a": Fraction(70, 100), "b": Fraction(5, 100), "c": Fraction(5, 100), "d": Fraction(20, 100)}


@pytest.mark.parametrize("percents", [(40, 20, 20), (120, -40, 20), (0, 0, 0)])
def test_shares_of_places_that_are_no_percentages_of_a_whole_are_refused(percents):
    with pytest.raises(ValueError, match="sum to 100"):
        position(*percents)


# -- which touches count


@pytest.mark.parametrize(("days", "seen"), [(90, ["a", "b"]), (90.001, ["b"])])
def test_the_look_back_window_is_90_days_and_its_edge_counts(days, seen):
    assert names(journey(("a", days), ("b", 1)), TouchRules()) == seen


def test_the_look_back_window_may_be_30_days():
    assert names(journey(("a", 31), ("b", 30)), TouchRules(look_back=timedelta(days=30))) == ["b"]


def test_the_rules_name_who_is_credited_with_conversions_without_touches():
    assert shares(journey(), MODELS["linear"], TouchRules(none=("(unknown)", ""))) == {("(unknown)", ""): 1}


def test_a_conversion_whose_touches_are_all_too_old_is_credited_to_none():
    assert shares(journey(("email", 91)), MODELS["linear"]) == {NONE: 1}


def test_a_touch_after_the_conversion_does_not_count():
    assert names(journey(("a", 1), ("b", -0.001)), TouchRules()) == ["a"]


def test_touches_are_read_by_time_in_whatever_order_they_are_told():
    assert names(journey(("c", 1), ("a", 3), ("b", 2)), TouchRules()) == ["a", "b", "c"]


@pytest.mark.parametrize(("count_calls", "seen"), [(False, ["a"]), (True, ["a", "b"])])
def test_a_call_is_a_touch_only_if_the_rules_say_so(count_calls, seen):
    called = Journey((Touch("a", END), Touch("b", END, is_call=True)), END)
    assert names(called, TouchRules(count_calls=count_calls)) == seen


def test_models_see_groups_of_channels():
    rules = TouchRules(groups={"yandex_direct": "paid", "vk_ads": "paid", "bookmark": "direct"})
    mixed = journey(("yandex_direct", 4), ("vk_ads", 3), ("email", 2), ("bookmark", 1))
    assert shares(mixed, MODELS["linear"], rules) == {"paid": 0.5, "email": 0.25, "direct": 0.25}
    assert shares(mixed, MODELS["last_non_direct"], rules)["email"] == 1


ROW = journey(("a", 9), ("a", 8), ("b", 7), ("a", 6), ("a", 5))


def test_touches_of_one_channel_in_a_row_stay_apart_unless_collapsed():
    assert shares(ROW, MODELS["linear"]) == {"a": Fraction(4, 5), "b": Fraction(1, 5)}


def test_collapsed_touches_of_one_channel_in_a_row_are_one():
    assert shares(ROW, MODELS["linear"], TouchRules(collapse=True)) == {"a": Fraction(2, 3), "b": Fraction(1, 3)}


def test_the_latest_of_collapsed_touches_stays():
    ages = [(END - touch.at).days for touch in touches_that_count(ROW, TouchRules(collapse=True))]
    assert ages == [8, 7, 5]


def test_channels_of_one_group_in_a_row_are_collapsed_too():
    assert names(ROW, TouchRules(groups={"b": "a"}, collapse=True)) == ["a"]


def test_a_moment_without_a_time_zone_is_refused():
    naive = datetime(2026, 11, 22)  # noqa: DTZ001
    with pytest.raises(ValueError, match="touch of 'a' needs a moment with a time zone"):
        Touch("a", naive)
    with pytest.raises(ValueError, match="end of a journey needs a moment with a time zone"):
        Journey((), naive)


@pytest.mark.parametrize(("build", "what"), [(time_decay, "half-life"), (TouchRules, "look-back window")])
def test_a_span_of_nothing_is_refused(build, what):
    with pytest.raises(ValueError, match=f"the {what} must be longer than 0"):
        build(timedelta(0))


# -- credit and money


def test_money_follows_the_shares_and_the_most_conversions_come_first():
    found = attribute([P, journey(("email", 1), value=7), journey(("vk", 1), converted=False)], MODELS["linear"])
    assert found == (
        Credit("email", pytest.approx(1.2), 20_07),
        Credit("direct", pytest.approx(0.4), 40_00),
        Credit("organic", pytest.approx(0.2), 20_00),
        Credit("yandex_direct", pytest.approx(0.2), 20_00),
    )


def test_ten_tenths_are_one_conversion():
    tenths = [journey(*[(channel, 1) for channel in "abcdefghij"])] * 10
    assert {credit.conversions for credit in attribute(tenths, MODELS["linear"])} == {1}


@pytest.mark.parametrize(
    ("value", "weights", "given"),
    [
        (100, {"c": 1, "b": 1, "a": 1}, {"a": 34, "b": 33, "c": 33}),
        (10, {"a": Fraction(1, 7), "b": Fraction(2, 7), "c": Fraction(4, 7)}, {"a": 1, "b": 3, "c": 6}),
        (1, {"a": 0.4, "b": 0.6}, {"a": 0, "b": 1}),
        (0, {"a": 0.4, "b": 0.6}, {"a": 0, "b": 0}),
        (-100, {"a": 1, "b": 1, "c": 1}, {"a": -33, "b": -33, "c": -34}),
    ],
)
def test_what_rounding_leaves_goes_to_the_largest_remainder(value, weights, given):
    assert split_money(value, weights) == given


@pytest.mark.parametrize("weights", [{}, {"a": 0}, {"a": 2, "b": -1}])
def test_money_is_not_split_by_weights_that_are_no_proportions(weights):
    with pytest.raises(ValueError, match="one must be positive"):
        split_money(100, weights)


PATHS = st.lists(st.tuples(st.sampled_from(CHANNELS), st.integers(0, 120)), max_size=6)
JOURNEYS = st.builds(lambda path, value, won: journey(*path, value=value, converted=won), PATHS, st.integers(-999, 10**9), st.booleans())  # fmt: skip
A_MODEL = st.sampled_from([*MODELS.values(), time_decay(timedelta(hours=5)), position(0, 100, 0), position(33, 34, 33)])
SOME_RULES = st.builds(TouchRules, collapse=st.booleans(), groups=st.just({"email": "direct"}) | st.just({}))


@given(JOURNEYS, A_MODEL, SOME_RULES)
def test_shares_sum_to_1_and_none_is_negative(some, model, rules):
    told = shares(some, model, rules)
    assert sum(told.values()) == 1
    assert min(told.values()) >= 0


@given(st.lists(JOURNEYS, max_size=6), A_MODEL, SOME_RULES)
def test_money_and_conversions_sum_exactly(some, model, rules):
    found = attribute(some, model, rules)
    won = [one for one in some if one.converted]
    assert sum(credit.value_minor for credit in found) == sum(one.value_minor for one in won)
    assert sum(credit.conversions for credit in found) == pytest.approx(len(won))


@given(st.lists(JOURNEYS, max_size=6), A_MODEL, st.randoms(use_true_random=False))
def test_the_order_of_journeys_does_not_matter_to_a_rule_model(some, model, random):
    shuffled = random.sample(some, len(some))
    assert attribute(shuffled, model) == attribute(some, model)


@given(st.integers(-(10**12), 10**12), st.dictionaries(st.text(max_size=3), st.floats(0.001, 1e6), min_size=1))
def test_no_kopeck_is_lost_and_nobody_is_a_kopeck_off(value, weights):
    given_out, whole = split_money(value, weights), sum(map(Fraction, weights.values()))
    assert sum(given_out.values()) == value
    assert all(abs(given_out[name] - value * Fraction(weight) / whole) < 1 for name, weight in weights.items())


# -- assists


def test_assists_of_the_sheet_s_journey():
    assert assists([P]) == (
        Assists("direct", last=1, assisted=1, total=1),
        Assists("email", last=0, assisted=1, total=1),
        Assists("organic", last=0, assisted=1, total=1),
        Assists("yandex_direct", last=0, assisted=1, total=1),
    )


def test_assists_add_up_over_conversions_only():
    some = [journey(("a", 2), ("b", 1)), journey(("b", 1)), journey(("b", 1), converted=False), journey()]
    assert assists(some) == (
        Assists("b", last=2, assisted=0, total=2),
        Assists(NONE, last=1, assisted=0, total=1),
        Assists("a", last=0, assisted=1, total=1),
    )


# -- the page

PAGE = (Path(__file__).parents[2] / "docs" / "attribution.md").read_text(encoding="utf-8")


def test_the_page_explains_every_model():
    assert [name for name in (*BY_RULE, "markov") if f"`{name}`" not in PAGE] == []


def test_every_example_the_page_names_is_a_test_of_attribution():
    here = Path(__file__).parent
    files = [here / f"{name}.py" for name in ("test_attribution", "test_attribution_data", "test_attribution_report")]
    tests = {name for file in files for name in re.findall(r"^def (test_\w+)", file.read_text(encoding="utf-8"), re.M)}
    named = set(re.findall(r"`(test_\w+)`", PAGE))
    assert named
    assert named - tests == set()
