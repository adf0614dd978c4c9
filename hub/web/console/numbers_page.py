"""How many numbers are enough: a pool's own past replayed, as one sentence, a picture and a table."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from starlette.responses import Response

from hub.pool_plan import WAYS, Asked, PoolPlan, plan_pool
from hub.store.site_habits import learned_of
from hub.store.sites_told import SiteTold, sites_told
from hub.web.console import habits_told, numbers_told
from hub.web.console.page import NotHere, page
from hub.web.console.shell import Desk, render

_VISITS = 5_000  # at most: somebody waits for the page, and the hub serves on meanwhile
_TOP, _BOTTOM = 12, 232  # pixels from the picture's upper edge: where all calls are right, and where the fewest are
_LEFT, _RIGHT = 13.0, 97.0  # percents of its width, so that it fits any screen


@dataclass(frozen=True, slots=True)
class Mark:
    """One pool of the picture: percents from the left, pixels from the top."""

    left: float
    top: float
    numbers: int
    right: float
    is_now: bool
    is_advised: bool


@dataclass(frozen=True, slots=True)
class Picture:
    """The share right by the number of numbers, a line for each way to give them.

    ``rungs`` are the lines across, each (pixels from the top, share), ``asked`` that of the accuracy asked for.
    """

    curves: Mapping[bool, Sequence[Mark]]
    rungs: Sequence[tuple[float, float]]
    asked: tuple[float, float]
    bottom: int = _BOTTOM


def picture(plan: PoolPlan) -> Picture:
    """Return the picture of a plan: from 100 % down to a rung below the lowest share."""
    lowest = min(plan.right, *(one.right for one in plan.trials))
    step = next((step for step in (5, 10) if 100 * (1 - lowest) < 5 * step), 20)  # percents; at most five rungs
    rungs = [percent / 100 for percent in range(100, int(100 * lowest) - step, -step) if percent >= 0]

    def top(share: float) -> float:
        return round(_BOTTOM - (_BOTTOM - _TOP) * (share - rungs[-1]) / (1 - rungs[-1]), 1)

    return Picture(
        {on_intent: _curve(plan, on_intent, top) for on_intent in WAYS},
        [(top(share), share) for share in rungs],
        (top(plan.right), plan.right),
    )


def _curve(plan: PoolPlan, on_intent: bool, top: Callable[[float], float]) -> list[Mark]:
    tried = [one for one in plan.trials if one.on_intent == on_intent]
    apart = (_RIGHT - _LEFT) / max(1, len(tried) - 1)
    return [
        Mark(
            round(_LEFT + apart * place, 2),
            top(one.right),
            one.numbers,
            one.right,
            is_now=one == plan.now,
            is_advised=one == plan.advised,
        )
        for place, one in enumerate(tried)
    ]


@page
async def show(desk: Desk) -> Response:
    """Show the plan of the pool asked for, else of the site's first."""
    site = await _site(desk)
    if not site.pools:
        return render(desk, "numbers.html", site=site, plan=None)
    name = desk.request.query_params.get("pool", site.pools[0].name)
    pool = next((one for one in site.pools if one.name == name), None)
    if pool is None:
        raise NotHere
    learned = await desk.hub.db.read(learned_of, desk.tenant_id, site.id)
    plan = await plan_pool(desk.hub, desk.tenant_id, site, pool, Asked(visits=_VISITS))
    return render(
        desk,
        "numbers.html",
        site=site,
        plan=plan,
        advice=numbers_told.advice(desk.f, plan),
        notes=list(numbers_told.notes(desk.f, plan)),
        way=partial(numbers_told.way, desk.f),
        picture=picture(plan),
        habits=list(habits_told.told(desk.f, learned, desk.now)),
    )


async def _site(desk: Desk) -> SiteTold:
    sites = await desk.hub.db.read(sites_told, desk.tenant_id, desk.now)
    site = next((one for one in sites if one.key == desk.request.path_params["key"]), None)
    if site is None:
        raise NotHere
    return site
