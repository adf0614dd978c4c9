"""Negative controls: a connector that breaks a rule must fail the suite."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

import pytest

from connectors.contract import ConnectorContract, Scripted, Step
from connectors.errors import ConnectorError
from connectors.protocol import (
    Can,
    Connector,
    Idempotency,
    InstallationError,
    Limits,
    Manifest,
    OAuth,
    Outcome,
    Page,
    Ref,
    Status,
    Why,
)

HOST = "https://crm.example"
DAY = timedelta(days=1)


class Naive:
    """Creates without looking, and takes every answer for a success."""

    def __init__(self, http, app, grant, settings):
        self.http, self.grant = http, grant

    async def deliver(self, batch):
        outcomes = {}
        for one in batch:
            refs = []
            for kind in ("deal", "note", "task"):
                try:
                    answer = await self.http.send("POST", f"{HOST}/{kind}", json=[one.id], timeout=5, creates=True)
                except ConnectorError as error:
                    raise InstallationError(Why.UNAVAILABLE, f"lost {self.grant.access_token}") from error
                found = answer.json()
                refs.append(Ref(kind, str(found[0]["id"]) if isinstance(found, list) and found else "?"))
            outcomes[one.id] = Outcome(Status.DELIVERED, tuple(refs))
        return outcomes

    async def changes(self, cursor):
        return Page((), (), "", more=False)


MANIFEST = Manifest(
    name="amocrm",
    title="Naive",
    kind="crm",
    can={Can.DEAL: "maybe"},
    idempotency=Idempotency.NONE,
    limits=Limits(0, 1.0, 1, DAY, DAY),
    hosts=("https://crm.example/*",),
    oauth=OAuth("", (), pkce=False, access_lifetime=DAY, refresh_lifetime=DAY, refresh_rotates=False),
    settings=Mapping,
    standing="sandbox-tested",
)


class NaiveContract(ConnectorContract):
    connector = Connector(MANIFEST, None, None, None, None, Naive)
    host = "crm.example"
    created = tuple(Step("POST", f"/{kind}", [{"id": 999}]) for kind in ("deal", "note", "task"))
    nameless = foreign = found = changed = created


SUITE = NaiveContract()


class Anywhere(Scripted):
    """The script without egress, which would refuse the broken manifest's hosts first."""

    def _check(self, url):
        return None


@pytest.fixture(autouse=True)
def _no_egress(monkeypatch):
    monkeypatch.setattr("connectors.contract.Scripted", Anywhere)


@pytest.mark.parametrize(
    ("rule", "arguments"),
    [
        ("test_name_is_the_folder", ()),
        ("test_capabilities_are_told_in_sentences", ()),
        ("test_limits_allow_something", ()),
        ("test_hosts_are_plain_names", ()),
        ("test_names_exactly_the_batch", ()),
        ("test_one_caller_is_not_served_twice_in_a_batch", ()),
        ("test_a_lost_answer_to_a_creation_is_perhaps", ("ReadTimeout: slow",)),
        ("test_a_failing_vendor_is_perhaps", (504,)),
        ("test_a_refused_installation_is_the_one_exception", (429, Why.THROTTLED)),
        ("test_an_unreadable_answer_is_never_success", (b"<html>",)),
        ("test_an_answer_without_our_id_is_perhaps", ()),
        ("test_a_foreign_id_is_ignored", ()),
        ("test_doubt_is_settled_by_looking", ()),
        ("test_known_objects_are_not_created_again", ()),
        ("test_changes_come_with_a_cursor", ()),
    ],
)
def test_the_naive_connector_is_caught(rule, arguments):
    with pytest.raises(AssertionError):
        getattr(SUITE, rule)(*arguments)


def test_leaked_tokens_are_caught(monkeypatch):
    class Leaking(Naive):
        def __repr__(self):
            return self.grant.access_token

    leaking = replace(SUITE.connector, open=Leaking)
    monkeypatch.setattr(NaiveContract, "connector", leaking)
    with pytest.raises(AssertionError):
        SUITE.test_secrets_and_phones_stay_out_of_texts()
