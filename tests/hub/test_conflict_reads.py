"""However long the history, the cards beside ours are found by the few rows of the days that are asked for."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hub import conflicts
from hub.store import conflicts as read
from hub.store.conflicts import Card
from hub.store.crm import Installed
from hub.store.tx import Tx
from hub.store.vault import Vault
from tests.hub.test_history_reads import long_ways, statements_of, without_statistics
from tests.hub.world import World

__all__ = ["without_statistics"]
_TOLD: dict[str, Any] = {"id": 1, "tenant_id": 1, "connector": "amocrm"}
OF = Installed(**dict.fromkeys(Installed.__slots__) | _TOLD)
CARD = Card("deal", "7", datetime(2026, 11, 20, tzinfo=UTC), ("3",))
Ask = Callable[[Tx, datetime], Any]

ASKED: dict[str, Ask] = {
    "deliveries": lambda tx, now: read.sent(tx, OF, now - timedelta(days=14), now),
    "cards": lambda tx, now: read._cards(tx, OF, [1, 2]),
    "deals": lambda tx, now: list(read._deals(tx, OF, ["7", "8"])),
    "contacts of deals": lambda tx, now: read._standing(tx, OF, ["7", "8"]),
    "deals of contacts": lambda tx, now: list(read._deals_of(tx, OF, {"3": {"3"}, "4": {"4"}}, now)),
    "other contacts": lambda tx, now: list(read._twins(tx, OF, ["3", "4"], now)),
    "known cards": lambda tx, now: read._written(tx, OF, [CARD]),
}


@pytest.mark.parametrize("name", ASKED)
def test_nothing_is_found_by_walking_the_history(without_statistics: World, name: str) -> None:
    def ask(tx: Tx, now: datetime, vault: Vault) -> Any:
        return (ASKED[name](tx, now),)

    said = statements_of(without_statistics, ask)
    assert len(said) == 1
    assert long_ways(without_statistics, said) == []


def test_an_account_without_deliveries_costs_one_statement_and_its_rules(without_statistics: World) -> None:
    def ask(tx: Tx, now: datetime, vault: Vault) -> Any:
        return conflicts.look(tx, OF, now)

    assert len(statements_of(without_statistics, ask)) == 2
