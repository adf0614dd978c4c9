"""The contract suite over Bitrix24: data only. Everything is one address, so one answer serves all steps of a script."""

import json
from pathlib import Path
from types import MappingProxyType

import pytest

from connectors.bitrix24 import connector
from connectors.contract import Step, answer
from connectors.contract_fields import FieldsContract
from connectors.contract_moves import MoveContract
from connectors.protocol import Why
from connectors.scenario import MoveDeal

FIXTURES = Path(__file__).parents[1] / "connectors" / "bitrix24" / "fixtures"


def batch(name):
    return (Step("POST", "/rest/batch", json.loads((FIXTURES / f"batch__{name}.json").read_text("utf-8"))),)


def saying(name, text):
    """The same, and the open deal's source says something; it is changed."""
    [step] = batch(name)
    result = step.body["result"]["result"]
    deal = result["deals0"]["items"][0] | {"UF_CRM_HUB_SOURCE": text}
    result |= {"now0": {"item": deal}, "fields0": {"item": {"id": deal["id"]}}}
    return (step,)


class TestBitrix24(MoveContract, FieldsContract):
    connector = connector
    host = "romashka.bitrix24.ru"
    settings = MappingProxyType(
        {"currency": "RUB", "traits": ("simple",), "fields": {"UF_CRM_HUB_SOURCE": "UF_CRM_HUB_SOURCE"}}
    )
    created = batch("created")
    nameless = batch("deal_without_mark")
    foreign = batch("foreign_deal")
    found = batch("all_there")
    move = MoveDeal("0", "EXECUTING", ("PREPARATION",))
    moved = batch("open_deal_at_preparation")
    further = batch("open_deal_further_on")
    arrived = batch("open_deal_moved_back")
    field, says = "UF_CRM_HUB_SOURCE", "google"
    written = saying("open_deal_at_preparation", says)
    changed = batch("changed")

    @pytest.mark.parametrize(
        ("status", "why"),
        [(401, Why.UNAUTHORIZED), (402, Why.FORBIDDEN), (403, Why.FORBIDDEN), (429, Why.THROTTLED)],
    )
    def test_a_refused_installation_is_the_one_exception(self, status, why):
        """The deal comes with its notes, in the last answer: before it there is none to be forgotten."""
        for asked in self.requests():
            outcome, error = self.broken(asked, answer(status, {"title": "no"}))
            assert error is not None
            assert error.why is why
            assert outcome is None

    def creates(self, asked):
        """A batch that only reads is a POST, too."""
        commands = json.loads(asked.content)["cmd"].values()
        return any(".add?" in one or ".update?" in one for one in commands)
