"""A pool's plan in sentences: what to do, and what the answer rests on."""

from collections.abc import Iterator

from hub.pool_days import FEWEST_CALLS
from hub.pool_plan import PoolPlan
from hub.web.console.formats import Formats


def advice(f: Formats, plan: PoolPlan) -> str:
    """Return what to do, in one sentence or two."""
    return f.words.count(
        f"numbers.advice.{plan.advice}",
        plan.advised.numbers,
        now=plan.now.numbers,
        right=f.percent(plan.advised.right, 1),
        right_now=f.percent(plan.now.right, 1),
        wanted=f.percent(plan.right),
        way=way(f, plan.advised.on_intent),
    )


def way(f: Formats, on_intent: bool) -> str:
    """Return to whom a number is given."""
    return f.words("numbers.way.intent" if on_intent else "numbers.way.every")


def notes(f: Formats, plan: PoolPlan) -> Iterator[str]:
    """Yield what the answer rests on, and what it leaves out."""
    yield from _days(f, plan)
    if not plan.replayed.tells_reveals and not plan.replayed.is_simulated:
        yield f.words("numbers.supposed")
    yield _queueing(f, plan)
    yield f.words(
        "numbers.other_hold",
        other=f.number(plan.other_hold.hold_s / 60),
        hold=f.number(plan.now.hold_s / 60),
        right=f.percent(plan.other_hold.right, 1),
        wrong=f.percent(plan.other_hold.wrong, 1),
        overflow=f.percent(plan.other_hold.overflow, 1),
    )


def _days(f: Formats, plan: PoolPlan) -> Iterator[str]:
    t, replayed = f.words, plan.replayed
    figures = {"visits": f.number(replayed.visits), "calls": f.number(replayed.calls)}
    if replayed.first is None or replayed.last is None:
        per_hour, sure = f.number(replayed.busiest), f.number(replayed.sure)
        yield t("numbers.simulated", visits=figures["visits"], per_hour=per_hour, sure=sure, least=FEWEST_CALLS)
        return
    first, last = (f.day(f.local(moment).date()) for moment in (replayed.first, replayed.last))
    yield t("numbers.recorded", **figures, first=first, last=last)
    if replayed.is_cut:
        yield t("numbers.cut")
    if replayed.left_out:
        yield t.count("numbers.left_out", replayed.left_out, least=f.percent(plan.least_right, 1))


def _queueing(f: Formats, plan: PoolPlan) -> str:
    told = plan.queueing
    return f.words(
        "numbers.queueing",
        per_hour=f.number(told.per_hour),
        stay=f.number(told.stay_minutes, 1),
        hold=f.number(plan.now.hold_s / 60),
        now=f.number(plan.now.numbers),
        overflow=f.percent(told.overflow, 1),
        enough=f.number(told.enough),
    )
