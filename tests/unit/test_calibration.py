"""Probabilities that keep their word, and some that do not."""

import pytest

from tracking_core.calibration import EDGES, FEWEST, Band, Word, band_of, bands, calibration_error, interval

HONEST = [(0.8, True)] * 8 + [(0.8, False)] * 2
BOASTFUL = [(0.9, True)] * 5 + [(0.9, False)] * 5


def test_who_is_right_as_often_as_told_has_no_error():
    assert calibration_error(HONEST) == pytest.approx(0)


def test_who_tells_more_than_is_right_errs_by_the_gap():
    assert calibration_error(BOASTFUL) == pytest.approx(0.4)


def test_the_error_is_weighted_by_calls():
    assert calibration_error([*HONEST, *BOASTFUL]) == pytest.approx(0.2)


def test_gaps_of_different_bands_do_not_make_up_for_each_other():
    assert calibration_error([(0.25, True), (0.75, False)]) == pytest.approx(0.75)


def test_gaps_of_one_band_do():
    assert calibration_error([(0.72, True), (0.78, False)]) == pytest.approx(0.25)


def test_certainty_is_in_the_last_band():
    assert calibration_error([(1.0, False), (0.9, True)]) == pytest.approx(0.45)


def test_no_calls_have_no_error():
    assert calibration_error([]) == 0


def test_a_probability_above_one_is_refused():
    with pytest.raises(ValueError, match=r"between 0 and 1; got 1\.2"):
        calibration_error([(1.2, True)])


# -- promises, and whether calls whose caller is known otherwise bear them out

NOTHING_TOLD = [(0, 0.0)] * len(EDGES)


def band(told: float, right: int, tested: int, calls: int = 100) -> Band:
    sums = list(NOTHING_TOLD)
    sums[band_of(told)] = (calls, calls * told)
    [made] = bands(sums, [(told, place < right) for place in range(tested)])
    return made


@pytest.mark.parametrize(
    ("right", "tested", "least", "most"),
    [(50, 100, 0.4038, 0.5962), (0, 10, 0.0, 0.2775), (10, 10, 0.7225, 1.0), (81, 263, 0.2553, 0.3662)],
)
def test_the_interval_is_wilsons(right: int, tested: int, least: float, most: float):
    assert interval(right, tested) == pytest.approx((least, most), abs=1e-4)


@pytest.mark.parametrize(("right", "tested"), [(1, 0), (0, 0), (-1, 5), (6, 5)])
def test_what_cannot_be_right_is_refused(right: int, tested: int):
    with pytest.raises(ValueError, match="cannot be right"):
        interval(right, tested)


@pytest.mark.parametrize(
    ("told", "right", "tested", "word"),
    [
        (0.85, 17, 20, Word.KEPT),
        (0.85, 10, 20, Word.TOO_SURE),
        (0.65, 40, 40, Word.TOO_MODEST),
        (0.85, 0, FEWEST - 1, Word.FEW),
        (0.85, 0, 0, Word.FEW),
    ],
)
def test_a_band_keeps_its_word_or_not(told: float, right: int, tested: int, word: Word):
    assert band(told, right, tested).word is word


def test_as_many_are_right_as_promised_while_the_test_allows_it():
    assert band(0.85, 17, 20).expected == pytest.approx(85)


def test_where_the_test_contradicts_the_promise_the_test_counts():
    assert band(0.85, 10, 20).expected == pytest.approx(50)


def test_bands_come_surest_first_and_only_where_there_is_something():
    sums = list(NOTHING_TOLD)
    sums[band_of(0.7)] = (2, 1.4)
    assert [(one.low, one.calls, one.tested) for one in bands(sums, [(0.99, True)])] == [(0.97, 0, 1), (0.6, 2, 0)]


def test_a_promise_is_tested_by_what_was_promised_of_the_tested():
    sums = list(NOTHING_TOLD)
    sums[band_of(0.6)] = (100, 60.0)
    [made] = bands(sums, [(0.79, True)] * 16 + [(0.79, False)] * 4)
    assert (made.told, made.word) == (pytest.approx(0.6), Word.KEPT)


@pytest.mark.parametrize(("probability", "low"), [(0.3, 0.0), (0.6, 0.6), (0.799, 0.6), (0.9, 0.9), (1.0, 0.97)])
def test_a_band_begins_where_it_says(probability: float, low: float):
    assert EDGES[band_of(probability)] == low
