"""Money figures: the table of the DNI sheet, section 14, in kopecks."""

from fractions import Fraction

import pytest

from tracking_core.roi import TOTAL, DealSum, EnquiryCount, RoiRow, SpendRow, VisitCount, report

SHEET = RoiRow(
    key=("yandex", "okna"),
    visits=1_800,
    enquiries=80,
    calls=60,
    qualified=40,
    deals=25,
    won=20,
    revenue_minor=500_000_00,
    spend_minor=100_000_00,
)
YANDEX, VK = ("yandex", "okna"), ("vk", "dveri")


@pytest.mark.parametrize(
    ("metric", "expected"),
    [
        ("cost_per_visit_minor", 55_56),
        ("cost_per_enquiry_minor", 1_250_00),
        ("cost_per_qualified_minor", 2_500_00),
        ("cost_per_won_minor", 5_000_00),
        ("average_won_minor", 25_000_00),
        ("roas", 5.0),
        ("drr_percent", 20.0),
        ("romi_percent", 400.0),
        ("enquiry_percent", pytest.approx(4.4444, abs=5e-5)),
    ],
)
def test_the_sheet_s_figures(metric, expected):
    assert getattr(SHEET, metric) == expected


@pytest.mark.parametrize(
    "metric",
    [
        "cost_per_visit_minor",
        "cost_per_enquiry_minor",
        "cost_per_qualified_minor",
        "cost_per_won_minor",
        "average_won_minor",
        "roas",
        "drr_percent",
        "romi_percent",
        "enquiry_percent",
    ],
)
def test_nothing_is_divided_by_zero(metric):
    assert getattr(RoiRow(YANDEX), metric) is None


@pytest.mark.parametrize(("spend", "per_enquiry"), [(1, 0), (3, 2), (5, 2), (7, 4)])
def test_a_half_is_rounded_to_even(spend, per_enquiry):
    assert RoiRow(YANDEX, enquiries=2, spend_minor=spend).cost_per_enquiry_minor == per_enquiry


def test_a_loss_is_negative():
    assert RoiRow(YANDEX, spend_minor=100, revenue_minor=25).romi_percent == -75.0


REPORT = report(
    [SpendRow(YANDEX, 700), SpendRow(YANDEX, 300), SpendRow(VK, 50)],
    [VisitCount(YANDEX, 10), VisitCount(VK, 5)],
    [EnquiryCount(YANDEX, 3, 2, 1), EnquiryCount(("", ""), 1)],
    [DealSum(VK, 3, 1, 900)],
)


def test_every_key_has_a_row_and_the_dearest_is_first():
    assert [row.key for row in REPORT] == [YANDEX, VK, ("", ""), TOTAL]


def test_rows_of_one_key_add_up():
    assert REPORT[0] == RoiRow(YANDEX, visits=10, enquiries=3, calls=2, qualified=1, spend_minor=1_000)


def test_the_last_row_is_the_total():
    assert REPORT[-1] == RoiRow(
        TOTAL, visits=15, enquiries=4, calls=2, qualified=1, deals=3, won=1, revenue_minor=900, spend_minor=1_050
    )


def test_without_facts_there_is_only_an_empty_total():
    assert report([], [], [], []) == (RoiRow(TOTAL),)


def test_parts_of_enquiries_and_deals_add_up_exactly_and_divide_money():
    third = Fraction(1, 3)
    enquiries = [EnquiryCount((source,), third, calls=third) for source in "abc"]
    deals = [DealSum((source,), deals=third, won=third, revenue_minor=100) for source in "abc"]
    *rows, total = report([SpendRow(("a",), 50)], [], enquiries, deals)
    assert (total.enquiries, total.calls, total.won) == (1, 1, 1)
    assert (rows[0].average_won_minor, rows[0].cost_per_enquiry_minor) == (300, 150)
