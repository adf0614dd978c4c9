"""The visits of the day: when people come, from where, how long they stay and which pages they see."""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from sandbox.demo.company import Company
from sandbox.demo.sources import Arrival, WebSource, arrive, pick_source

HOURS = (0.7, 1.1, 1.3, 1.25, 1.1, 1.0, 1.1, 1.2, 1.15, 0.9, 0.6)  # busyness of each opening hour
RETURNS = 0.10  # of the visits are somebody's second or third
AWAY_S = 2_400.0  # at least so long between two visits of one person, well over a session's 30 minutes
BOUNCES = 0.38
LONGEST_STAY_S = 780.0
BEAT_S = 540.0  # the page script beats every 30 s; the player only often enough to keep a number held for 10 minutes
GLANCE_S = 30.0  # who is gone sooner leaves no further sign of life


@dataclass(frozen=True, slots=True)
class View:
    """One sign of life during a visit: a further page, or a heartbeat when `url` is empty."""

    at: float
    url: str = ""


@dataclass(frozen=True, slots=True)
class VisitPlan:
    """One visit of one person; `leaves` is when he was last there."""

    number: int
    person: int
    at: float
    leaves: float
    arrival: Arrival
    views: Sequence[View]


def plan_visits(random: Random, count: int, company: Company, opens: float, closes: float) -> Sequence[VisitPlan]:
    """Returns `count` visits of a company's site in the order of their beginning."""
    visits: list[VisitPlan] = []
    latest: dict[int, VisitPlan] = {}
    resting: list[VisitPlan] = []  # latest visits of persons, oldest first
    for number, at in enumerate(_moments(random, count, opens, closes)):
        back = _returning(random, resting, at)
        person = back.person if back else len(latest)
        arrival = arrive(_source(random, company, back), random, company.origin, company.pages)
        leaves = round(at + _stay(random), 1)
        visit = VisitPlan(number, person, at, leaves, arrival, _views(random, company, at, leaves))
        visits.append(visit)
        latest[person] = visit
        resting.append(visit)
    return tuple(visits)


def plan_strangers(
    random: Random, visits: Sequence[VisitPlan], company: Company, opens: float, closes: float
) -> tuple[VisitPlan, VisitPlan]:
    """Returns the visit of a robot that reads every page, and that of somebody of the office who looks up a price."""
    person, number = 1 + max(visit.person for visit in visits), len(visits)
    came = [round(random.uniform(opens, closes - LONGEST_STAY_S), 1) for _ in range(2)]
    others = enumerate(company.pages[1:], start=1)
    every = tuple(View(came[0] + 5 * place, f"{company.origin}{page}") for place, page in others)
    price = (View(came[1] + 20, f"{company.origin}{company.free_pages[0]}"), View(came[1] + 90))
    front = Arrival("", "", f"{company.origin}/", "")
    return (
        VisitPlan(number, person, came[0], every[-1].at, front, every),
        VisitPlan(number + 1, person + 1, came[1], price[-1].at, front, price),
    )


def _moments(random: Random, count: int, opens: float, closes: float) -> Sequence[float]:
    hour = (closes - opens) / len(HOURS)
    hours = random.choices(range(len(HOURS)), HOURS, k=count)
    # Visits begin at distinct tenths of a second, so that their order is never a matter of chance.
    found: set[float] = set()
    for place in hours:
        while (at := round(opens + (place + random.random()) * hour, 1)) in found:
            pass
        found.add(at)
    return sorted(found)


def _returning(random: Random, resting: list[VisitPlan], at: float) -> VisitPlan | None:
    if random.random() >= RETURNS:
        return None
    away = [place for place, visit in enumerate(resting) if visit.leaves + AWAY_S <= at]
    return resting.pop(random.choice(away)) if away else None


def _source(random: Random, company: Company, back: VisitPlan | None) -> WebSource:
    """A person who comes back mostly types the address he knows by now."""
    if back is None:
        return pick_source(company.web, random)
    return company.source_named("direct" if random.random() < 0.65 else back.arrival.source)


def _stay(random: Random) -> float:
    if random.random() < BOUNCES:
        return random.uniform(4, 40)
    return min(random.expovariate(1 / 240) + 25, LONGEST_STAY_S)


def _views(random: Random, company: Company, at: float, leaves: float) -> Sequence[View]:
    """Some further pages on a longer stay, beats in between, and a last sign of life."""
    stay = leaves - at
    pages = 0 if stay < 45 else random.choices((0, 1, 2), (6, 3, 1))[0]
    moments = sorted(round(at + stay * random.uniform(0.15, 0.9), 1) for _ in range(pages))
    views = [View(moment, f"{company.origin}{random.choice(company.pages)}") for moment in moments]
    views += [View(round(at + BEAT_S * beat, 1)) for beat in range(1, int(stay / BEAT_S) + 1)]
    if stay >= GLANCE_S:
        views.append(View(leaves))
    return tuple(sorted(views, key=lambda view: view.at))
