"""Any answer of the vendor, however bent, is read or refused; nothing else is raised."""

import asyncio
import copy
import random

import pytest

from connectors.amocrm import connector
from connectors.contract import Scripted, Step, delivery
from connectors.protocol import App, Grant, InstallationError, Status

FIELDS = {"HUB_CALL_ID": "700001", "UTM_SOURCE": "610933"}
BENT = (None, 0, -1, 7.5, "", "x", "142", True, [], {}, [None], {"id": None}, 10**30, "\ud800")


def bend(found, dice):
    """Return a copy with one value, somewhere, replaced by nonsense."""
    found = copy.deepcopy(found)
    here, path = found, []
    while isinstance(here, dict | list) and here:
        key = dice.choice(list(here) if isinstance(here, dict) else range(len(here)))
        path.append((here, key))
        here = here[key]
    holder, key = dice.choice(path)
    holder[key] = dice.choice(BENT)
    return found


def script(load, dice):
    steps = [
        ("GET", "/contacts", "contacts__one_with_open_deal"),
        ("GET", "/contacts/61000002", None),
        (
            "GET",
            "/leads",
            dice.choice(("leads__ours", "leads__open_and_lost", "leads__filter_ignored", "leads__changed")),
        ),
        ("GET", "/notes", dice.choice(("notes__ours", "notes__of_another_call"))),
        ("GET", "/tasks", "tasks__ours"),
        ("GET", "/events", dice.choice(("events__lead_deleted", "events__moved_and_invoiced"))),
        ("GET", "/elements", "elements__paid_and_new"),
        ("GET", "/custom_fields", dice.choice(("fields__own_present", "fields__own_missing"))),
        ("GET", "/account", dice.choice(("account__filters_off", "account__invoices"))),
        ("GET", "/pipelines", "pipelines__one"),
        ("GET", "/users", "users__one_inactive"),
        ("POST", "/complex", "complex__created"),
        ("POST", "/leads/notes", "notes__created"),
        ("POST", "/tasks", "tasks__created"),
        ("POST", "/custom_fields", "field__created"),
        ("GET", "", "lead__ours"),
    ]
    made = [Step(method, path, bend(load(name), dice) if name else None) for method, path, name in steps]
    if dice.random() < 0.3:
        refused = bend(
            load(dice.choice(("error__400_field_gone", "error__400_own_field", "error__400_no_rights"))), dice
        )
        made.insert(0, Step("POST", dice.choice(("/complex", "/notes", "/tasks")), refused, 400))
    return made


@pytest.mark.parametrize("first", range(0, 300, 50))
def test_a_bent_answer_raises_nothing_unplanned(load, first):
    for seed in range(first, first + 50):
        ask_everything(load, seed)


def ask_everything(load, seed):
    dice = random.Random(seed)
    http = Scripted(connector, script(load, dice))
    grant = Grant("31000001", "romashka.amocrm.ru", "a", "r", None)
    session = connector.open(http, App("c", "s", "u"), grant, {"fields": FIELDS if dice.random() < 0.5 else {}})
    for ask in (session.deliver([delivery(in_doubt=seed % 2 == 0)]), session.changes(None), session.facts()):
        try:
            found = asyncio.run(ask)
        except InstallationError:
            continue
        if isinstance(found, dict):
            assert all(isinstance(outcome.status, Status) for outcome in found.values())
