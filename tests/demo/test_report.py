"""The report tells the companies apart, for machines and for people, and is bad as soon as one of them is."""

from dataclasses import replace
from io import StringIO
from types import SimpleNamespace
from typing import Any

import pytest
from rich.console import Console

from sandbox.demo.company import Company
from sandbox.demo.kitchens import KITCHENS
from sandbox.demo.report import Result, print_summary
from sandbox.demo.tenant import Keys, Tenant
from sandbox.demo.verdict import Expectation, Verdict
from sandbox.demo.windows import WINDOWS

NAMES = (
    *("visits", "sources", "calls", "forms", "unmatched", "unmatched_rightly", "matched_right", "matched_wrong"),
    *("taps", "copies", "anonymous_visits", "opted_out_visits", "contacts", "deals", "tasks", "won", "paid"),
    *("revenue_minor", "named", "named_rightly", "named_rightly_told", "spend_minor", "requests_crm"),
    *("foreseen", "foreseen_of", "foreseen_late", "foreseen_late_of"),
)
ROW = dict.fromkeys(("visits", "calls", "qualified", "deals", "won", "revenue_minor", "spend_minor"), 0)
MET = Expectation("calls", is_met=True, sentence="")
UNMET = Expectation("calls", is_met=False, sentence="The hub counts 3 calls of 4.")


def verdict(company: Company, expected: Expectation = MET, **figures: Any) -> Verdict:
    """A day with two matches by a held number and one of a reason unknown here."""
    by_reason = {"by a dream": {"unmatched": 1}, "exclusive_lease": {"right": 5, "wrong": 2}}
    told = {**dict.fromkeys(NAMES, 0), **figures, "by_reason": by_reason}
    return Verdict(company, told, [expected], [], ROW, [f"Install was pressed by {company.owner}."])


@pytest.fixture
def result() -> Result:
    both = [verdict(WINDOWS, calls=170, revenue_minor=500), verdict(KITCHENS, calls=57, revenue_minor=70)]
    return Result(both, {"kills": 0, "seconds": 60.0})


def printed(result: Result, stage: Any = None) -> str:
    """What people read of a day."""
    text = StringIO()
    print_summary(Console(file=text, width=100), result, stage)
    return text.getvalue()


def test_each_company_has_figures_of_its_own(result: Result) -> None:
    told = [(one["company"], one["crm"], one["calls"]) for one in result.as_json()["companies"]]

    assert told == [("Окна Ромашка", "amocrm", 170), ("Кухни Берёза", "bitrix24", 57)]


def test_the_figures_of_all_are_their_sums(result: Result) -> None:
    told = result.as_json()

    assert (told["calls"], told["revenue_minor"], told["seconds"]) == (227, 570, 60.0)


def test_what_one_company_does_not_meet_is_not_met(result: Result) -> None:
    bad = replace(result, verdicts=[result.verdicts[0], verdict(KITCHENS, UNMET)])

    assert bad.failures == ["Кухни Берёза: The hub counts 3 calls of 4."]
    assert bad.as_json()["expectations"] == {"calls": False}
    assert [one["expectations"]["calls"] for one in bad.as_json()["companies"]] == [True, False]


def test_what_all_meet_is_met(result: Result) -> None:
    assert (result.failures, result.as_json()["expectations"]) == ([], {"calls": True})


def test_what_decided_is_told_in_words_with_right_and_wrong(result: Result) -> None:
    first, _ = [line.split() for line in printed(result).splitlines() if "only holder" in line]

    assert first == ["the", "only", "holder", "of", "the", "number", "5", "2", "0", "0"]


def test_how_each_crm_was_connected_is_told(result: Result) -> None:
    steps = [line.split()[-1] for line in printed(result).splitlines() if "Install was pressed" in line]

    assert steps == [f"{WINDOWS.owner}.", f"{KITCHENS.owner}."]


def test_a_reason_without_words_is_still_counted(result: Result) -> None:
    lines = [line.split()[-4:] for line in printed(result).splitlines() if "by a dream" in line]

    assert lines == [["0", "0", "0", "1"]] * 2


def test_the_reasons_are_summed_up(result: Result) -> None:
    assert ["all", "5", "2", "0", "1"] in [line.split() for line in printed(result).splitlines()]


def test_where_people_of_each_company_can_play_on_is_told_while_it_stays_open(result: Result) -> None:
    tenants = [
        Tenant(company, Keys(company.owner, f"secret-{company.key}", "", "", "", ""), *[None] * 2, url, None)  # type: ignore[arg-type]
        for company, url in ((WINDOWS, "http://crm.example"), (KITCHENS, "http://portal.example"))
    ]
    text = printed(result, SimpleNamespace(hub=SimpleNamespace(url="http://hub.example"), tenants=tenants))
    wanted = ["http://hub.example", "http://crm.example", "http://portal.example", "/marketplace/app/"]
    wanted += ["secret-windows", "secret-kitchens", WINDOWS.owner, KITCHENS.owner]

    assert [word for word in wanted if word not in text] == []
