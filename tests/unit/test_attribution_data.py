"""Attribution learned from all journeys: Markov and Shapley of the DNI sheet, section 13."""

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracking_core.attribution import NONE, Journey, Touch, TouchRules, shares, split_money
from tracking_core.attribution_data import (
    Chain,
    JourneyCount,
    Step,
    count_journeys,
    in_equal_parts,
    markov,
    shapley,
    shapley_values,
    steps_of,
)

# -- Markov

J = (
    JourneyCount(("A", "B"), True, 3),
    JourneyCount(("A",), False, 2),
    JourneyCount(("B",), True, 1),
    JourneyCount(("A", "C"), False, 2),
    JourneyCount(("B", "C"), True, 2),
)


def test_the_sheet_s_markov_chain():
    found = markov(J)
    assert found.probability == pytest.approx(3 / 5, abs=1e-6)
    assert found.removal_effects == pytest.approx({"A": 7 / 12, "B": 5 / 6, "C": 1 / 3}, abs=1e-6)
    assert found.conversions == pytest.approx({"A": 2, "B": 2.857143, "C": 1.142857}, abs=1e-6)


def test_a_chain_with_a_loop_is_solved():
    """By hand: x(A) = 1/2 + x(B)/2 and x(B) = x(A)/2; without B only S, A, conversion is left: 1/4."""
    found = markov([JourneyCount(("A", "B", "A"), True), JourneyCount(("B",), False)])
    assert found.probability == pytest.approx(1 / 2)
    assert found.removal_effects == pytest.approx({"A": 1, "B": 1 / 2})
    assert found.conversions == pytest.approx({"A": 2 / 3, "B": 1 / 3})


def test_a_channel_in_a_row_changes_nothing_in_the_chain():
    stuttering = [JourneyCount(("A", "A", "A", "B", "B"), True, 3), *J[1:]]
    assert markov(stuttering).conversions == pytest.approx(markov(J).conversions)


def test_journeys_without_touches_are_no_part_of_the_chain():
    found = markov([*J, JourneyCount((), True, 4), JourneyCount((), False, 9)])
    assert found.probability == pytest.approx(3 / 5)
    assert found.conversions == pytest.approx({**markov(J).conversions, NONE: 4})


def test_without_conversions_nobody_has_credit():
    found = markov([JourneyCount(("A", "B"), False, 5)])
    assert (found.probability, found.conversions) == (0, {"A": 0, "B": 0})


def test_without_journeys_there_is_no_credit():
    assert markov([]).conversions == {}
    assert shapley([]) == {}


def steps(counts: list[JourneyCount]) -> dict[str, Counter[str]]:
    """How often each state is followed by each; S, + and - are the start, the conversion and null."""
    found: dict[str, Counter[str]] = {}
    for count in counts:
        for here, there in pairwise(["S", *count.channels, "+" if count.converted else "-"]):
            found.setdefault(here, Counter())[there] += count.journeys
    return found


def walks(
    follow: dict[str, Counter[str]], walk: tuple[str, ...] = ("S",)
) -> Iterator[tuple[tuple[str, ...], Fraction]]:
    """Every walk to the end through a graph without loops, with its probability."""
    if walk[-1] in "+-":
        yield walk, Fraction(1)
        return
    odds = follow[walk[-1]]
    for there, count in odds.items():
        for whole, chance in walks(follow, (*walk, there)):
            yield whole, chance * Fraction(count, odds.total())


def converting(follow: dict[str, Counter[str]], without: str = "") -> Fraction:
    return sum((chance for walk, chance in walks(follow) if walk[-1] == "+" and without not in walk), Fraction(0))


LOOP_FREE = st.builds(  # channels only ever go up the alphabet
    JourneyCount, st.sets(st.sampled_from("ABCDE"), min_size=1).map(lambda some: tuple(sorted(some))), st.booleans(), st.integers(1, 9)
)  # fmt: skip
ANY_COUNT = st.builds(JourneyCount, st.lists(st.sampled_from("ABCD"), max_size=5).map(tuple), st.booleans(), st.integers(1, 9))  # fmt: skip


@given(st.lists(LOOP_FREE, max_size=8))
def test_removal_effects_without_loops_are_those_of_all_walks_written_out(counts):
    counts = [*counts, JourneyCount(("B", "D"), True)]
    follow, found = steps(counts), markov(counts)
    whole = converting(follow)
    wanted = {one: float(1 - converting(follow, one) / whole) for one in follow if one != "S"}
    assert found.probability == pytest.approx(float(whole))
    assert found.removal_effects == pytest.approx(wanted, abs=1e-9)


def settled(follow: dict[str, Counter[str]], without: str = "") -> float:
    """The probability of a conversion as the limit of ever longer walks, loops or none."""
    odds, longer = dict.fromkeys(follow, 0.0), {}
    for _ in range(20_000):
        known = {**odds, "+": 1.0, "-": 0.0, without: 0.0}
        longer = {here: sum(known[to] * n for to, n in after.items()) / after.total() for here, after in follow.items()}
        if max(abs(longer[one] - odds[one]) for one in follow) < 1e-13:
            break
        odds = longer
    return longer["S"]


@given(st.lists(ANY_COUNT.filter(lambda count: count.channels), max_size=6))
def test_removal_effects_with_loops_are_the_limit_of_ever_longer_walks(counts):
    counts = [*counts, JourneyCount(("B", "D", "B"), True)]
    follow, found = steps(counts), markov(counts)
    wanted = {one: 1 - settled(follow, one) / settled(follow) for one in follow if one != "S"}
    assert found.removal_effects == pytest.approx(wanted, abs=1e-6)


def test_steps_counted_by_themselves_make_the_same_chain_as_the_journeys_they_are_of():
    """The steps of the two kinds of journeys of J that came to nothing, as a database counts them."""
    lost = [Step(None, "A", 4), Step("A", None, 2), Step("A", "C", 2), Step("C", None, 2)]
    won = [step for count in J if count.converted for step in steps_of(count.channels, count.journeys)]
    chain = Chain([*won, *lost])
    assert chain.journeys == 10
    assert chain.removal_effects({"B": 4, "C": 2}) == pytest.approx({"A": 7 / 12, "B": 5 / 6, "C": 1 / 3})


def test_a_chain_tells_what_is_lost_of_money_too():
    """By hand: without A the half that begins there is lost; without B everything is."""
    chain = Chain([*steps_of(("A", "B")), *steps_of(("B",))])
    assert chain.expected({"B": 400}) == pytest.approx(200)
    assert chain.removal_effects({"B": 400}) == pytest.approx({"A": 1 / 2, "B": 1})


def test_a_chain_of_no_journeys_loses_nothing():
    assert (Chain([]).journeys, Chain([]).expected({}), Chain([]).removal_effects({})) == (0, 0, {})


@given(st.lists(ANY_COUNT, max_size=8))
def test_markov_s_conversions_sum_to_all_of_them(counts):
    won = sum(count.journeys for count in counts if count.converted)
    assert sum(markov(counts).conversions.values()) == pytest.approx(won)


# -- Shapley


def test_the_sheet_s_shapley_values():
    assert shapley(J) == {"A": Fraction(3, 2), "B": Fraction(7, 2), "C": 1}


def test_a_conversion_without_touches_is_credited_to_none_by_shapley_too():
    assert shapley([*J, JourneyCount((), True, 4)]) == {"A": 1.5, "B": 3.5, "C": 1, NONE: 4}


@given(st.lists(ANY_COUNT, max_size=8))
def test_efficiency_shapley_s_conversions_sum_to_all_of_them(counts):
    assert sum(shapley(counts).values()) == sum(count.journeys for count in counts if count.converted)


@given(st.lists(ANY_COUNT, max_size=8))
def test_symmetry_channels_that_change_places_have_the_same(counts):
    swap = str.maketrans("AB", "BA")
    mirrored = [JourneyCount(tuple(one.translate(swap) for one in c.channels), c.converted, c.journeys) for c in counts]
    told = shapley([*counts, *mirrored, JourneyCount(("A", "B"), True)])
    assert told["A"] == told["B"]


@given(st.lists(ANY_COUNT, max_size=8))
def test_null_player_a_channel_that_no_conversion_needs_has_nothing(counts):
    assert shapley([*counts, JourneyCount(("A", "never"), False)])["never"] == 0


@given(st.lists(ANY_COUNT, max_size=6), st.randoms(use_true_random=False))
def test_the_order_of_journeys_does_not_matter_to_a_learning_model(counts, random):
    shuffled = random.sample(counts, len(counts))
    assert markov(shuffled) == markov(counts)
    assert shapley(shuffled) == shapley(counts)


def gloves(coalition: frozenset[str]) -> int:
    """A game that no journeys play: a left glove is worth something only with one of the two right ones."""
    return int("left" in coalition and len(coalition) > 1)


def test_any_game_may_be_solved():
    told = shapley_values(["left", "right", "other"], gloves)
    assert told == {"left": Fraction(2, 3), "right": Fraction(1, 6), "other": Fraction(1, 6)}


def worth_of(counts: list[JourneyCount]) -> Callable[[frozenset[str]], int]:
    """The sheet's game: a coalition is worth the conversions of journeys it holds all channels of."""
    return lambda some: sum(count.journeys for count in counts if count.converted and set(count.channels) <= some)


@given(st.lists(ANY_COUNT.filter(lambda count: count.channels), max_size=8))
def test_dividing_alike_is_the_shapley_value_of_the_sheet_s_game(counts):
    players = {channel for count in counts for channel in count.channels}
    assert shapley(counts) == shapley_values(players, worth_of(counts))


def test_a_thousand_channels_are_exact():
    crowd = [JourneyCount(tuple(f"c{n + i}" for i in range(3)), True) for n in range(998)]
    told = shapley(crowd)
    assert (told["c0"], told["c500"], sum(told.values())) == (Fraction(1, 3), 1, 998)


def test_a_game_of_more_than_12_players_is_refused():
    with pytest.raises(ValueError, match="up to 12 players; got 13"):
        shapley_values("abcdefghijklm", gloves)


def test_one_journey_is_divided_between_its_different_channels():
    told = shares(journey("aab"), in_equal_parts)
    assert told == {"a": Fraction(1, 2), "b": Fraction(1, 2)}


# -- counting journeys

END = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def journey(path: str, *, days_ago: int = 9, converted: bool = True) -> Journey:
    """A journey through channels of one letter, a day after another."""
    touches = tuple(Touch(channel, END - timedelta(days=days_ago - day)) for day, channel in enumerate(path))
    return Journey(touches, END, converted)


def test_journeys_are_counted_by_path_and_result_as_the_rules_read_them():
    some = [journey("aabaa"), journey("aabaa"), journey("a", converted=False), journey("b", days_ago=91)]
    assert count_journeys(some, TouchRules(collapse=True)) == (
        JourneyCount((), True, 1),
        JourneyCount(("a",), False, 1),
        JourneyCount(("a", "b", "a"), True, 2),
    )


def test_a_path_counted_less_than_once_is_refused():
    with pytest.raises(ValueError, match="at least once; got 0"):
        JourneyCount(("a",), True, 0)


@pytest.mark.parametrize("conversions", [markov(J).conversions, shapley(J)])
def test_money_follows_the_conversions_of_a_learning_model_too(conversions):
    given_out = split_money(100_01, conversions)
    assert sum(given_out.values()) == 100_01
    assert all(abs(given_out[name] - 100_01 * float(part) / 6) < 1 for name, part in conversions.items())
