"""The contract suite over amoCRM: data only."""

import json
from pathlib import Path
from types import MappingProxyType

from connectors.amocrm import connector
from connectors.contract import ConnectorContract, Step

FIXTURES = Path(__file__).parents[1] / "connectors" / "amocrm" / "fixtures"


def fixture(name):
    return json.loads((FIXTURES / f"{name}.json").read_text("utf-8"))


FIELDS = {"HUB_CALL_ID": "700001", "UTM_SOURCE": "610933", "UTM_TERM": "610934"}
NOBODY = Step("GET", "/api/v4/contacts", None, 204)
NOTES = Step("POST", "/api/v4/leads/notes", fixture("notes__created"))
TASKS = Step("POST", "/api/v4/tasks", fixture("tasks__created"))


def with_deal(answer):
    return (NOBODY, Step("POST", "/api/v4/leads/complex", fixture(answer)), NOTES, TASKS)


class TestAmocrm(ConnectorContract):
    connector = connector
    host = "romashka.amocrm.ru"
    settings = MappingProxyType({"currency": "RUB", "fields": FIELDS})
    created = with_deal("complex__created")
    nameless = with_deal("complex__no_request_id")
    foreign = with_deal("complex__foreign_id")
    found = (
        Step("GET", "/api/v4/leads", fixture("leads__ours")),
        Step("GET", "/api/v4/leads/21000003", fixture("lead__ours")),
        Step("GET", "/api/v4/leads/21000003/notes", fixture("notes__ours")),
        Step("GET", "/api/v4/tasks", fixture("tasks__ours")),
    )
    changed = (
        Step("GET", "/api/v4/leads", fixture("leads__changed")),
        Step("GET", "/api/v4/events", None, 204),
    )
