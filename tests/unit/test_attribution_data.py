"""Attribution learned from all journeys: Markov and Shapley of the DNI sheet, section 13."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracking_core.attribution import NONE, Journey, Touch, TouchRules, split_money
from tracking_core.attribution_data import JourneyCount, count_journeys, markov, shapley, shapley_values

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
    assert shapley([], seed=1) == {}


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


@given(st.lists(ANY_COUNT, max_size=8))
def test_markov_s_conversions_sum_to_all_of_them(counts):
    won = sum(count.journeys for count in counts if count.converted)
    assert sum(markov(counts).conversions.values()) == pytest.approx(won)


# -- Shapley


def test_the_sheet_s_shapley_values():
    assert shapley(J, seed=1) == {"A": Fraction(3, 2), "B": Fraction(7, 2), "C": 1}


def test_a_conversion_without_touches_is_credited_to_none_by_shapley_too():
    assert shapley([*J, JourneyCount((), True, 4)], seed=1) == {"A": 1.5, "B": 3.5, "C": 1, NONE: 4}


@given(st.lists(ANY_COUNT, max_size=8))
def test_efficiency_shapley_s_conversions_sum_to_all_of_them(counts):
    assert sum(shapley(counts, seed=1).values()) == sum(count.journeys for count in counts if count.converted)


@given(st.lists(ANY_COUNT, max_size=8))
def test_symmetry_channels_that_change_places_have_the_same(counts):
    swap = str.maketrans("AB", "BA")
    mirrored = [JourneyCount(tuple(one.translate(swap) for one in c.channels), c.converted, c.journeys) for c in counts]
    told = shapley([*counts, *mirrored, JourneyCount(("A", "B"), True)], seed=1)
    assert told["A"] == told["B"]


@given(st.lists(ANY_COUNT, max_size=8))
def test_null_player_a_channel_that_no_conversion_needs_has_nothing(counts):
    assert shapley([*counts, JourneyCount(("A", "never"), False)], seed=1)["never"] == 0


@given(st.lists(ANY_COUNT, max_size=8))
def test_each_conversion_is_divided_equally_between_its_channels(counts):
    """What the sheet's worth of a coalition comes to, whatever the order and however often."""
    wanted = Counter({channel: Fraction(0) for count in counts for channel in count.channels})
    for count in counts:
        for channel in set(count.channels) or {NONE}:
            if count.converted:
                wanted[channel] += Fraction(count.journeys, len(set(count.channels)) or 1)
    assert shapley(counts, seed=1) == dict(wanted)


@given(st.lists(ANY_COUNT, max_size=6), st.randoms(use_true_random=False))
def test_the_order_of_journeys_does_not_matter_to_a_learning_model(counts, random):
    shuffled = random.sample(counts, len(counts))
    assert markov(shuffled) == markov(counts)
    assert shapley(shuffled, seed=1) == shapley(counts, seed=1)


def gloves(coalition: frozenset[str]) -> int:
    """A game that no journeys play: a left glove is worth something only with one of the two right ones."""
    return int("left" in coalition and len(coalition) > 1)


def test_any_game_may_be_solved():
    told = shapley_values(["left", "right", "other"], gloves, seed=1)
    assert told == {"left": Fraction(2, 3), "right": Fraction(1, 6), "other": Fraction(1, 6)}


CROWD = [JourneyCount((f"c{n:02}", f"c{n + 1:02}", f"c{n + 2:02}"), True, n + 1) for n in range(11)]  # 13 channels
CROWD_EXACTLY = {f"c{n:02}": Fraction(sum(i + 1 for i in range(11) if i <= n <= i + 2), 3) for n in range(13)}


def test_of_more_than_12_channels_permutations_are_sampled_near_the_exact_values():
    told = shapley(CROWD, seed=7, permutations=2_000)
    assert sum(told.values()) == 66
    assert all(abs(value - CROWD_EXACTLY[channel]) < 1 for channel, value in told.items())  # five standard errors
    assert told != CROWD_EXACTLY


def test_12_channels_are_exact():
    told = shapley(CROWD[:10], seed=7, permutations=1)
    assert len(told) == 12
    assert told["c05"] == Fraction(4 + 5 + 6, 3)


def test_a_seed_gives_the_same_sample_again_and_another_seed_another():
    told = shapley(CROWD, seed=7, permutations=20)
    assert shapley(reversed(CROWD), seed=7, permutations=20) == told
    assert shapley(CROWD, seed=8, permutations=20) != told


def test_a_sample_of_nothing_is_refused():
    with pytest.raises(ValueError, match="at least 1 permutation"):
        shapley(CROWD, seed=7, permutations=0)


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


@pytest.mark.parametrize("conversions", [markov(J).conversions, shapley(J, seed=1)])
def test_money_follows_the_conversions_of_a_learning_model_too(conversions):
    given_out = split_money(100_01, conversions)
    assert sum(given_out.values()) == 100_01
    assert all(abs(given_out[name] - 100_01 * float(part) / 6) < 1 for name, part in conversions.items())
