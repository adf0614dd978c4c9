"""What enquiries brought, divided between sources: sums are the same in every model, shares are the sheet's."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracking_core import attribution_report
from tracking_core.attribution import Journey, Touch, TouchRules
from tracking_core.attribution_data import Step
from tracking_core.attribution_report import BY_RULE, Brought, Credited, by_markov, by_rule

END = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
UNKNOWN, REST = ("(unknown)", ""), ("(other)", "")
RULES = TouchRules(none=UNKNOWN)
MODELS = (*BY_RULE, "markov")


def key(name: str) -> tuple[str, str]:
    return (name, "c")


def journey(path: str, days: Sequence[float] = ()) -> Journey:
    """A journey through sources of one letter, d for direct; a day apart unless their ages are given."""
    ages = days or range(len(path), 0, -1)
    touches = (
        Touch(key(one), END - timedelta(days=age), is_direct=one == "d") for one, age in zip(path, ages, strict=True)
    )
    return Journey(tuple(touches), END)


def credited(brought: list[Brought], model: str, lost: Sequence[Step] = ()) -> Credited:
    if model == "markov":
        return by_markov(brought, lost, RULES, REST)
    return by_rule(brought, BY_RULE[model], RULES)


def money(told: Credited) -> dict[str, int]:
    return {row.key[0]: row.revenue_minor for row in told.deals if row.revenue_minor}


def enquiries(told: Credited) -> dict[str, float]:
    return {row.key[0]: float(row.enquiries) for row in told.enquiries if row.enquiries}


# -- sums

STEP = st.builds(lambda a, b: [Step(None, key(a)), Step(key(a), key(b)), Step(key(b), None)], *[st.sampled_from("abcd")] * 2)  # fmt: skip
LOST = st.lists(STEP, max_size=4).map(lambda journeys: [step for steps in journeys for step in steps])
MANY = st.lists(
    st.builds(
        Brought, st.text("abcd", max_size=5).map(journey), *[st.integers(0, 1)] * 3, st.integers(0, 3),
        st.integers(0, 2), st.integers(-999, 10**9),
    ),
    max_size=8,
)  # fmt: skip


@given(MANY, LOST, st.sampled_from(MODELS))
def test_every_column_sums_to_the_same_in_every_model(brought, lost, model):
    told = credited(brought, model, lost)
    for figure in ("enquiries", "calls", "qualified"):
        assert sum(getattr(row, figure) for row in told.enquiries) == sum(getattr(one, figure) for one in brought)
    for figure in ("deals", "won", "revenue_minor"):
        assert sum(getattr(row, figure) for row in told.deals) == sum(getattr(one, figure) for one in brought)


@given(MANY, LOST, st.sampled_from(MODELS))
def test_what_nobody_was_matched_to_stays_unknown(brought, lost, model):
    unknown = sum(one.revenue_minor for one in brought if not one.journey.touches)
    assert money(credited(brought, model, lost)).get("(unknown)", 0) == unknown


def test_an_enquiry_in_three_parts_is_one_enquiry_again():
    told = credited([Brought(journey("abc"), enquiries=1)], "linear")
    assert [row.enquiries for row in told.enquiries] == [
        Fraction(333_333_334, 10**9),
        *[Fraction(333_333_333, 10**9)] * 2,
    ]


def test_an_enquiry_of_one_source_stays_a_whole_number():
    told = credited([Brought(journey("aa"), enquiries=1)], "linear")
    assert [row.enquiries for row in told.enquiries] == [1]


# -- the sheet, section 13

P = Brought(journey("yodmd", (14, 7, 3, 1, 0)), enquiries=1, deals=1, won=1, revenue_minor=100_000_000)


@pytest.mark.parametrize(
    ("model", "shares"),
    [
        ("first", {"y": 1}),
        ("last", {"d": 1}),
        ("last_non_direct", {"m": 1}),
        ("linear", {"y": 0.2, "o": 0.2, "d": 0.4, "m": 0.2}),
        ("time_decay", {"y": 0.073557, "o": 0.147114, "d": 0.512839, "m": 0.266490}),
        ("position_40_20_40", {"y": 0.4, "o": 0.066667, "d": 0.466667, "m": 0.066667}),
        ("position_20_60_20", {"y": 0.2, "o": 0.2, "d": 0.4, "m": 0.2}),
        ("position_10_50_40", {"y": 0.1, "o": 0.166667, "d": 0.566667, "m": 0.166667}),
        ("shapley", {"y": 0.25, "o": 0.25, "d": 0.25, "m": 0.25}),
    ],
)
def test_the_sheet_s_journey_in_enquiries_and_money(model, shares):
    told = credited([P], model)
    assert enquiries(told) == pytest.approx(shares, abs=1e-6)
    assert money(told) == pytest.approx({name: share * 100_000_000 for name, share in shares.items()}, abs=100)


def counted(path: str, number: int, **brought: int) -> list[Brought]:
    return [Brought(journey(path), **brought)] * number


J = [*counted("ab", 3, enquiries=1), *counted("b", 1, enquiries=1), *counted("bc", 2, enquiries=1)]
J_LOST = [Step(None, key("a"), 4), Step(key("a"), None, 2), Step(key("a"), key("c"), 2), Step(key("c"), None, 2)]


def test_the_sheet_s_markov_chain_in_enquiries():
    told = credited(J, "markov", J_LOST)
    assert enquiries(told) == pytest.approx({"a": 2, "b": 2.857143, "c": 1.142857}, abs=1e-6)
    assert told.learned_from == 10


def test_the_sheet_s_shapley_values_in_enquiries():
    assert enquiries(credited(J, "shapley")) == {"a": 1.5, "b": 3.5, "c": 1}


# -- Markov


def test_each_figure_is_divided_by_what_is_lost_of_that_figure():
    """By hand: every enquiry needs b, half of them a; the money is all at the end of the journey by a."""
    brought = [
        Brought(journey("ab"), enquiries=1),
        Brought(journey("b"), enquiries=1),
        Brought(journey("a"), revenue_minor=900),
    ]
    told = credited(brought, "markov")
    assert enquiries(told) == pytest.approx({"a": 2 / 3, "b": 4 / 3})
    assert money(told) == {"a": 900}


def test_a_refund_that_nothing_stands_against_stays_with_the_last_touch():
    assert money(credited([Brought(journey("ab"), revenue_minor=-500)], "markov")) == {"b": -500}


def test_journeys_that_came_to_nothing_change_the_chain():
    assert enquiries(credited(J, "markov", J_LOST)) != pytest.approx(enquiries(credited(J, "markov")), abs=0.1)


def test_beyond_so_many_sources_the_least_visited_are_one(monkeypatch):
    monkeypatch.setattr(attribution_report, "MOST_NAMES", 2)
    told = credited([*J, Brought(journey("x"), enquiries=1)], "markov", J_LOST)
    assert enquiries(told).keys() == {"a", "b", "(other)"}
    assert told.put_together == 2
    assert sum(row.enquiries for row in told.enquiries) == 7


def test_a_rule_learned_from_nothing():
    told = credited(J, "linear")
    assert (told.learned_from, told.put_together) == (0, 0)
