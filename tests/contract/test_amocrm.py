"""The contract suite over amoCRM: data only."""

import json
from pathlib import Path
from types import MappingProxyType

from connectors.amocrm import connector
from connectors.contract import Step
from connectors.contract_fields import FieldsContract
from connectors.contract_moves import MoveContract
from connectors.scenario import MoveDeal

FIXTURES = Path(__file__).parents[1] / "connectors" / "amocrm" / "fixtures"


def fixture(name):
    return json.loads((FIXTURES / f"{name}.json").read_text("utf-8"))


FIELDS = {"HUB_CALL_ID": "700001", "UTM_SOURCE": "610933", "UTM_TERM": "610934"}
NOBODY = Step("GET", "/api/v4/contacts", None, 204)
NOTES = Step("POST", "/api/v4/leads/notes", fixture("notes__created"))
TASKS = Step("POST", "/api/v4/tasks", fixture("tasks__created"))


def with_deal(answer):
    return (NOBODY, Step("POST", "/api/v4/leads/complex", fixture(answer)), NOTES, TASKS)


def with_open_deal(status, *before, says=""):
    """The caller has one open deal, which stands at a stage, and whose source says something."""
    deals = fixture("leads__open_and_lost")
    deals["_embedded"]["leads"][0] |= {
        "status_id": status,
        "pipeline_id": 5100001,
        "custom_fields_values": [{"field_id": 610933, "field_code": "UTM_SOURCE", "values": [{"value": says}]}],
    }
    return (
        *before,
        Step("GET", "/api/v4/contacts", fixture("contacts__one_with_open_deal")),
        Step("GET", "/api/v4/leads", deals),
        Step("GET", "/notes", None, 204),
        Step("PATCH", "/api/v4/leads", fixture("leads__moved")),
        Step("POST", "/api/v4/leads/notes", fixture("notes__created")),
    )


class TestAmocrm(MoveContract, FieldsContract):
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
    move = MoveDeal("5100001", "45100003", ("45100002",))
    moved = with_open_deal(45100002)
    further = with_open_deal(45100004)
    arrived = with_open_deal(45100002, Step("GET", "/api/v4/events", fixture("events__came_to_stage")))
    field, says = "UTM_SOURCE", "google"
    written = with_open_deal(45100002, says=says)
    changed = (
        Step("GET", "/api/v4/account", fixture("account__filters_off")),
        Step("GET", "/api/v4/leads", fixture("leads__changed")),
        Step("GET", "/api/v4/events", None, 204),
    )
