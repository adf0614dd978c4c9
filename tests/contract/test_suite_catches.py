"""Negative controls: a connector that breaks a rule must fail the suite."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

import pytest

from connectors.contract import ConnectorContract, Scripted, Step
from connectors.contract_inputs import TEXTS
from connectors.errors import TRANSPORT, ConnectorError, NotSent, Sent
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
from connectors.telling import Said, Sentence

HOST = "https://crm.example"
JUDGED = (*TRANSPORT.items(), ("SomethingNew", Sent.PERHAPS))
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
                    raise InstallationError(
                        Why.UNAVAILABLE, Said("lost", {"token": self.grant.access_token})
                    ) from error
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
    can={Can.DEAL: Said("maybe")},
    idempotency=Idempotency.NONE,
    limits=Limits(0, 1.0, 1, DAY, DAY),
    hosts=("https://crm.example/*",),
    oauth=OAuth("", (), pkce=False, access_lifetime=DAY, refresh_lifetime=DAY, refresh_rotates=False),
    settings=Mapping,
    standing="sandbox-tested",
)


WORDS = {language: {"lost": Sentence("{token}")} for language in ("ru", "en")}


class NaiveContract(ConnectorContract):
    connector = Connector(MANIFEST, None, None, None, None, Naive, words=WORDS)
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
        *(("test_every_error_of_the_client_is_judged", (name,)) for name, sent in JUDGED if sent is Sent.PERHAPS),
        ("test_what_is_created_carries_the_marker", ()),
        *(("test_hostile_texts_are_delivered_with_the_marker", (name,)) for name in TEXTS),
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


@pytest.mark.parametrize(
    "words",
    [
        {"en": WORDS["en"]},
        {"ru": WORDS["ru"]},
        {**WORDS, "ru": {"lost": Sentence("{token}", "{colour}")}},
    ],
    ids=["no Russian", "no English", "a value that is not said"],
)
def test_codes_without_words_are_caught(monkeypatch, words):
    SUITE.broken(SUITE.requests()[0], NotSent("ConnectError: refused"))
    monkeypatch.setattr(NaiveContract, "connector", replace(SUITE.connector, words=words))
    with pytest.raises(AssertionError):
        SUITE.broken(SUITE.requests()[0], NotSent("ConnectError: refused"))


class Deaf(Naive):
    """Takes every interruption for a success, and tells the log what it knows."""

    async def deliver(self, batch):
        print(f"delivering with {self.grant.access_token}")
        try:
            return await super().deliver(batch)
        except BaseException:
            return {one.id: Outcome(Status.DELIVERED) for one in batch}


@pytest.fixture
def deaf(monkeypatch):
    monkeypatch.setattr(NaiveContract, "connector", replace(SUITE.connector, open=Deaf))
    named = tuple(Step("POST", f"/{kind}", [{"id": 5, "request_id": "d-1"}]) for kind in ("deal", "note", "task"))
    monkeypatch.setattr(NaiveContract, "created", named)


@pytest.mark.parametrize("name", [name for name, sent in JUDGED if sent is Sent.NOT])
def test_taking_what_was_not_sent_for_a_success_is_caught(deaf, name):
    with pytest.raises(AssertionError):
        SUITE.test_every_error_of_the_client_is_judged(name)


def test_going_on_when_told_to_end_is_caught(deaf):
    with pytest.raises(pytest.fail.Exception):
        SUITE.test_one_that_is_told_to_end_ends()


def test_believing_an_answer_about_another_is_caught(deaf):
    with pytest.raises(AssertionError):
        SUITE.test_no_creation_is_done_when_its_answer_speaks_of_another()


def test_tokens_in_the_log_are_caught(deaf, caplog, capsys):
    with pytest.raises(AssertionError):
        SUITE.test_secrets_and_phones_stay_out_of_logs(caplog, capsys)
