"""Any answer of the vendor, however bent, is read or refused; nothing else is raised."""

import asyncio
import copy
import random

import pytest

from connectors.bitrix24 import connector
from connectors.contract import Scripted, Step, delivery
from connectors.protocol import App, Grant, InstallationError, Ref, Status

BENT = (None, 0, -1, 7.5, "", "x", "142", True, [], {}, [None], {"id": None}, 10**30, float(10**300), "\ud800")
FIXTURES = (
    "batch__created",
    "batch__all_there",
    "batch__open_deal_at_preparation",
    "batch__open_deal_moved_back",
    "batch__changed",
    "batch__of_a_classic_account",
)


def bend(found, dice):
    """Return a copy with one value, somewhere, replaced by nonsense."""
    found = copy.deepcopy(found)
    here, path = found, []
    while isinstance(here, dict | list) and here:
        key = dice.choice(list(here) if isinstance(here, dict) else range(len(here)))
        path.append((here, key))
        if dice.random() < 0.1:
            break
        here = here[key]
    holder, key = dice.choice(path)
    holder[key] = dice.choice(BENT)
    return found


@pytest.mark.parametrize("first", range(0, 600, 50))
def test_a_bent_answer_raises_nothing_unplanned(load, first):
    for seed in range(first, first + 50):
        ask_everything(load, seed)


def ask_everything(load, seed):
    dice = random.Random(seed)
    told = load(dice.choice(FIXTURES))
    for _ in range(dice.randint(1, 4)):
        told = bend(told, dice)
    http = Scripted(connector, [Step("POST", "/rest/batch", told, dice.choice((200, 200, 200, 400, 503)))])
    grant = Grant("31000001", "romashka.bitrix24.ru", "a", "r", None)
    traits = dice.choice(((), ("simple",), ("classic",)))
    session = connector.open(http, App("c", "s", "u"), grant, {"traits": traits})
    nearby = (Ref("contact", "44"), Ref("deal", "L10"))
    asks = (
        session.deliver([delivery(in_doubt=seed % 2 == 0, nearby=nearby)]),
        session.changes('{"walks":{},"passed":{"2":1},"gone":0}'),
        session.facts(),
        session.listen("https://hub.example/hooks/x"),
        session.popup(["6"], "+79161234567"),
        session.missing([Ref("deal", "341"), Ref("contact", "44")]),
    )
    for ask in asks:
        try:
            found = asyncio.run(ask)
        except InstallationError:
            continue
        if isinstance(found, dict):
            assert all(isinstance(outcome.status, Status) for outcome in found.values())
