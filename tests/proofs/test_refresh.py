"""Proof 8, One refresh (docs/reliability.md): a customer logs in again only when the vendor's grant is really lost.

The CRM's sandbox gives out rotating refresh tokens and ends the whole authorization when a spent one comes back. Real
processes of many tasks meet one expiry after the other; of the refreshes 10 % last 20 s, 5 % fail, and of 5 % the answer
is lost. Then a process is ended by SIGKILL at points of a refresh. Quick: 10 tasks and 15 expiries; with --full: 100 and
500. On PostgreSQL two processes ask side by side.
"""

import random
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.proofs.refresh_stage import Account, Asking, account
from tests.proofs.results import Tell

FAULTS = {"hang": 0.10, "500": 0.05, "drop_after": 0.05}
POINTS = ("before", "answered", "saved")
LATENCY_MS = 30
LOST = "hub.renewal_lost"


@pytest.fixture
def connected(database_url: str, tmp_path: Path) -> Iterator[Account]:
    with account(tmp_path, database_url, refresh_reuse="revoke", hang_by="clock", hang_seconds=20) as made:
        yield made


def processes(database_url: str) -> int:
    """Return how many may ask side by side: SQLite has one process for everything."""
    return 1 if database_url.startswith("sqlite") else 2


def end(account: Account, seconds: float) -> None:
    """Let the clock go on until so many seconds after the end of the token."""
    left = account.kept().grant.expires_at - account.clock.now()
    account.clock.forward(left.total_seconds() + seconds)


def has_next(account: Account, asker: Asking, version: int) -> bool:
    """Say whether there is a newer token than this version, and all tasks of a process have it."""
    kept = account.kept()
    return kept.version > version and asker.has(kept)


def meet(account: Account, askers: list[Asking], expiries: int, seed: int) -> None:
    """Let the token end again and again, now and then only nearly, until everybody has the next one."""
    chance = random.Random(seed)
    for _ in range(expiries):
        version = account.kept().version
        end(account, chance.choice((1, -300)))
        account.until(lambda old=version: all(has_next(account, one, old) for one in askers))


def outcomes(account: Account) -> Counter[str]:
    """Count what became of the refresh requests."""
    names = {200: "renewed", 401: "refused", 500: "failed", 0: "lost"}
    return Counter(names[row["status"]] for row in account.refreshes())


def test_each_expiry_is_met_by_one_refresh_and_only_a_lost_answer_asks_a_person(
    connected: Account, database_url: str, full: bool, tell: Tell
) -> None:
    tasks, expiries, seed = (100, 500, 8) if full else (10, 15, 8)
    with ExitStack() as stack:
        names = [f"asker-{number}" for number in range(processes(database_url))]
        askers = [stack.enter_context(connected.asking(name, tasks)) for name in names]
        connected.until(lambda: all(one.has(connected.kept()) for one in askers))
        connected.turn(rates=FAULTS, seed=seed)
        meet(connected, askers, expiries, seed)
        told = [one.told() for one in askers]
    found, asked = outcomes(connected), sum(connected.refusals.values())
    held, exchanges = (sum(one[name] for one in told) for name in ("held", "exchanges"))
    figures = {"processes": len(askers), "tasks": tasks, "expiries": expiries, "seed": seed, **found}
    tell("refresh", **figures, reauthorised=asked, exchanges=exchanges, transactions_held=held)
    assert found["renewed"] + asked == expiries
    assert found["lost"] >= found["refused"] == asked > 0  # of a refusal the answer may be lost as well
    assert found["failed"] > 0
    assert all(LOST in reason for reason in connected.refusals)
    assert held == 0 < exchanges
    assert sum(one["turned_away"] for one in told) == 0


def dies(account: Account, number: int, point: str) -> str:
    """End a process by SIGKILL in a refresh, let another one go on; return what became of the grant."""
    before, seen = account.kept(), len(account.refreshes())
    end(account, 1)
    with account.asking(f"mortal-{number}", 3, dies=point) as mortal:
        account.until(lambda: "dies" in mortal.told(), heals=False)
        mortal.process.kill()
    account.until(lambda: not account.open_requests(), heals=False)
    committed, saved = len(account.refreshes()) > seen, account.kept().version > before.version
    account.clock.forward(100)  # the lease of the turn runs out
    with account.asking(f"heir-{number}", 3) as heir:
        account.until(lambda: account.kept().refused or heir.has(account.kept()), heals=False)
    later = [row["status"] for row in account.refreshes()[seen:]]
    if account.kept().refused:
        assert LOST in account.kept().refused
        account.refusals[account.kept().refused] += 1
        account.reconnect()
        return "lost in the window" if committed and not saved else f"lost outside the window: {later}"
    return "survived" if later.count(200) == 1 else f"survived, but asked {later}"


def test_a_death_in_a_refresh_costs_the_grant_only_between_the_vendors_answer_and_our_commit(
    connected: Account, full: bool, tell: Tell
) -> None:
    chance = random.Random(8)
    kills = 100 if full else 4
    moments = [str(chance.randrange(0, LATENCY_MS * 3)) for _ in range(kills - len(POINTS))]
    connected.turn(latency_ms=[LATENCY_MS, LATENCY_MS])
    found = Counter(dies(connected, number, point) for number, point in enumerate((*POINTS, *moments)))
    tell("refresh (kill)", kills=kills, **found)
    assert found.keys() == {"survived", "lost in the window"}


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_vendor_with_a_grace_closes_the_window(connected: Account) -> None:
    connected.turn(refresh_grace=True)
    before = connected.kept()
    end(connected, 1)
    with connected.asking("mortal", 3, dies="answered") as mortal:
        connected.until(lambda: "dies" in mortal.told(), heals=False)
    connected.clock.forward(100)
    with connected.asking("heir", 3) as heir:
        connected.until(lambda: connected.kept().version > before.version and heir.has(connected.kept()))
    assert connected.refusals.total() == 0


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(("defences", "reuse"), [("turn", "revoke"), ("turn,reread", "refuse")])
@pytest.mark.control
def test_without_the_turn_or_the_look_healthy_grants_are_declared_dead(
    connected: Account, defences: str, reuse: str, full: bool, tell: Tell
) -> None:
    tasks, expiries = (100, 50) if full else (10, 3)
    dead = 0
    connected.turn(refresh_reuse=reuse)
    with connected.asking("asker", tasks, without=defences) as asker:
        connected.until(lambda: asker.has(connected.kept()))
        for _ in range(expiries):
            version = connected.kept().version
            end(connected, 1)
            connected.until(
                lambda old=version, known=dead: has_next(connected, asker, old) or connected.refusals.total() > known
            )
            dead = connected.refusals.total()
    tell("refresh (control)", without=defences, tasks=tasks, expiries=expiries, **outcomes(connected), dead=dead)
    assert dead > 0
