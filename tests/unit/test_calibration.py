"""Probabilities that keep their word, and some that do not."""

import pytest

from tracking_core.calibration import Bin, calibration_error, reliability

HONEST = [(0.8, True)] * 8 + [(0.8, False)] * 2
BOASTFUL = [(0.9, True)] * 5 + [(0.9, False)] * 5


def test_who_is_right_as_often_as_told_has_no_error():
    assert calibration_error(HONEST) == pytest.approx(0)


def test_who_tells_more_than_is_right_errs_by_the_gap():
    assert calibration_error(BOASTFUL) == pytest.approx(0.4)


def test_the_error_is_weighted_by_calls():
    assert calibration_error([*HONEST, *BOASTFUL]) == pytest.approx(0.2)


def test_gaps_of_different_bins_do_not_make_up_for_each_other():
    assert calibration_error([(0.25, True), (0.75, False)]) == pytest.approx(0.75)


def test_a_bin_tells_how_many_how_sure_and_how_right():
    assert reliability(HONEST) == (Bin(0.8, 0.9, 10, pytest.approx(0.8), 0.8),)


def test_certainty_is_in_the_last_bin():
    assert reliability([(1.0, True)])[0].low == 0.9


def test_no_calls_have_no_error():
    assert calibration_error([]) == 0


def test_a_probability_above_one_is_refused():
    with pytest.raises(ValueError, match=r"between 0 and 1; got 1\.2"):
        calibration_error([(1.2, True)])
