"""The least that ``drain`` measures against is what its text and docs/benchmarks.md say, for the backlog that it has."""

from datetime import UTC, datetime

import pytest

from bench import drain_amocrm, drain_bitrix24
from bench.backlog import Counts, backlog
from connectors.contract_inputs import cases
from connectors.scenario import AddTask, CallerState

NOW = datetime(2026, 1, 1, 9, 0, tzinfo=UTC)


@pytest.mark.parametrize("calls", [500, 5_000])
def test_a_backlog_has_as_many_of_each_kind_as_is_counted(calls: int) -> None:
    plans = [one.plan for one in backlog(NOW, calls, "+7916")]
    missed = [one for one in plans if any(isinstance(act, AddTask) for act in cases(one)[CallerState.UNKNOWN])]
    of = Counts(calls)
    assert len(plans) == of.calls
    assert len({one.enquiry.caller for one in plans}) == of.new
    assert len(missed) == of.missed


def test_who_calls_again_does_so_after_his_first_call() -> None:
    calls = backlog(NOW, 500, "+7916")
    assert [one.position for one in calls] == sorted(one.position for one in calls)
    assert len(calls) - len({one.order_key for one in calls}) == 50


def test_the_least_requests_for_amocrm() -> None:
    assert drain_amocrm.least(5_000) == 356


@pytest.mark.parametrize(("calls", "hits", "seconds"), [(5_000, 421, 185.5), (2_000, 169, 59.5), (200, 17, 0.0)])
def test_the_least_hits_for_bitrix24_and_their_time(calls: int, hits: int, seconds: float) -> None:
    assert drain_bitrix24.least_hits(calls) == hits
    assert drain_bitrix24.least_seconds(calls) == seconds


def test_the_usual_backlog_keeps_within_the_time_of_a_method_as_the_sandbox_counts() -> None:
    assert drain_bitrix24.dialled(2_000)[-1] == "operating_cost=0.1"
    assert drain_bitrix24.dialled(5_000)[-1] == "operating_cost=0.048"


def test_how_many_calls_bitrix24_is_given_can_be_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DRAIN_BITRIX24_CALLS", "5000")
    assert drain_bitrix24.calls() == 5_000
