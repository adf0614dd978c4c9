"""When a delivery is tried again, and when it is given to a person: the schedule as RELIABILITY section 3 has it."""

from datetime import UTC, datetime, timedelta

import pytest

from connectors.protocol import Outcome, Status, Why
from hub.delivery import retry
from hub.delivery.retry import SCHEDULE_S, Next, State

BORN = datetime(2026, 11, 20, 12, tzinfo=UTC)
LAG = timedelta(seconds=45)
FAILED = Outcome(Status.RETRY, why=Why.UNAVAILABLE)


def after(
    outcome: Outcome, *, spent: int = 0, in_doubt: bool = False, age: timedelta = timedelta(), name: str = "d"
) -> Next:
    return retry.after(
        outcome, delivery_id=name, spent=spent, in_doubt=in_doubt, created_at=BORN, now=BORN + age, search_lag=LAG
    )


def life(name: str) -> list[datetime]:
    """The moments a delivery that always fails is tried at."""
    moments, now, spent = [BORN], BORN, 0
    while True:
        then = after(FAILED, spent=spent, age=now - BORN, name=name)
        if then.state is not State.READY:
            return moments
        now, spent = then.due_at, then.spent
        moments.append(now)


def test_the_schedule_lasts_about_76_hours() -> None:
    assert sum(SCHEDULE_S) == pytest.approx(76 * 3_600, rel=0.01)


@pytest.mark.parametrize("name", [f"delivery-{number}" for number in range(20)])
def test_one_that_always_fails_is_parked_only_when_its_tries_and_72_hours_are_used(name: str) -> None:
    moments = life(name)
    assert len(moments) > len(SCHEDULE_S)
    assert moments[-1] - BORN >= retry.PATIENCE
    assert moments[-2] - BORN < timedelta(hours=100)


@pytest.mark.parametrize("step", range(len(SCHEDULE_S)))
def test_each_pause_is_the_schedules_within_a_fifth(step: int) -> None:
    pauses = {(after(FAILED, spent=step, name=f"d{n}").due_at - BORN).total_seconds() for n in range(30)}
    assert all(0.8 * SCHEDULE_S[step] <= pause <= 1.2 * SCHEDULE_S[step] for pause in pauses)
    assert len(pauses) == 30  # spread, not in step


def test_all_tries_used_within_72_hours_is_no_reason_to_park() -> None:
    assert after(FAILED, spent=50, age=timedelta(hours=71)).state is State.READY


def test_72_hours_without_the_tries_are_no_reason_to_park() -> None:
    assert after(FAILED, spent=len(SCHEDULE_S) - 1, age=timedelta(days=9)).state is State.READY


def test_both_used_is() -> None:
    assert after(FAILED, spent=len(SCHEDULE_S), age=timedelta(hours=72)).state is State.PARKED


@pytest.mark.parametrize(
    ("status", "state"),
    [(Status.DELIVERED, State.DELIVERED), (Status.ACCEPTED, State.ACCEPTED), (Status.REJECTED, State.PARKED)],
)
def test_what_is_known_for_certain_spends_no_try(status: Status, state: State) -> None:
    then = after(Outcome(status), spent=3)
    assert (then.state, then.spent) == (state, 3)


def test_a_failure_that_certainly_did_not_happen_leaves_no_doubt() -> None:
    then = after(FAILED)
    assert (then.state, then.spent, then.in_doubt) == (State.READY, 1, False)


def test_an_unknown_outcome_leaves_doubt_and_rests_until_a_search_has_caught_up() -> None:
    then = after(Outcome(Status.UNKNOWN))
    assert then.in_doubt
    assert then.due_at - BORN == LAG * 2


def test_a_short_search_lag_still_rests_a_minute() -> None:
    assert retry.rest(timedelta(seconds=3)) == timedelta(seconds=60)


def test_doubt_stays_until_the_effect_is_found() -> None:
    assert after(FAILED, in_doubt=True).in_doubt
    assert after(Outcome(Status.REJECTED), in_doubt=True).in_doubt
    assert not after(Outcome(Status.DELIVERED), in_doubt=True).in_doubt


def test_a_time_the_vendor_named_is_kept() -> None:
    named = BORN + timedelta(hours=3)
    assert after(Outcome(Status.RETRY, not_before=named)).due_at == named


def test_the_same_try_of_the_same_delivery_gets_the_same_pause() -> None:
    assert after(FAILED, spent=4) == after(FAILED, spent=4)


@pytest.mark.parametrize("why", list(Why))
def test_a_hold_grows_with_each_trouble_in_a_row_up_to_an_hour(why: Why) -> None:
    holds = [retry.hold(why, count, None) for count in range(60)]
    assert holds == sorted(holds)
    assert timedelta(seconds=1) < holds[0]
    assert holds[-1] <= timedelta(hours=1)


def test_a_hold_is_never_shorter_than_the_vendor_asked() -> None:
    assert retry.hold(Why.THROTTLED, 0, timedelta(minutes=7)) == timedelta(minutes=7)
    assert retry.hold(Why.THROTTLED, 9, timedelta(seconds=1)) == timedelta(seconds=300)
