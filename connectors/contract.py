"""The contract suite: what every CRM connector has to keep, for its test to feed with data only.

A connector's test subclasses ``ConnectorContract`` and names scripts: what its vendor answers, step by step,
to the one delivery ``d-1`` that the suite makes. The suite then breaks each step in every way and checks
what is said of it. Needs pytest; nothing else imports this file.
"""

import asyncio
import importlib
import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from string import Formatter
from typing import ClassVar

import pytest

from connectors.common_words import common_words
from connectors.contract_inputs import (
    DELIVERY_ID,
    HOSTILE,
    JUNK,
    MARKER,
    PHONE,
    STARTED,
    TEXTS,
    delivery,
    enquiry,
    with_texts,
)
from connectors.contract_script import Asked, Scripted, Step, answer
from connectors.errors import TRANSPORT, NotSent, PerhapsSent, Sent
from connectors.http import Answer, Http
from connectors.protocol import (
    App,
    Can,
    Connector,
    CrmSession,
    Delivery,
    Grant,
    InstallationError,
    Outcome,
    Status,
    Why,
)
from connectors.scenario import CallerState
from connectors.telling import Said

SECRETS = ("client-s3cret", "access-t0ken", "refresh-t0ken")


class ConnectorContract:
    """Subclass it with data; every test then runs over the connector."""

    connector: ClassVar[Connector]
    host: ClassVar[str]  # the account's host
    settings: ClassVar[Mapping[str, object]] = {}
    created: ClassVar[Sequence[Step]]  # an unknown caller: contact, deal, note and task of d-1 get created
    found: ClassVar[Sequence[Step]]  # d-1 is in doubt, and everything it asks for is there already
    nameless: ClassVar[Sequence[Step]]  # like ``created``, but the deal's answer names nothing we sent
    foreign: ClassVar[Sequence[Step]]  # like ``created``, but the deal's answer names somebody else's id 999
    changed: ClassVar[Sequence[Step]]  # one page of changed deals, and no more

    app = App("client-1", SECRETS[0], "https://hub.example/cb")

    def session(self, http: Http) -> CrmSession:
        """Open the account of the suite."""
        grant = Grant("31000001", self.host, SECRETS[1], SECRETS[2], STARTED + timedelta(days=1))
        return self.connector.open(http, self.app, grant, self.settings)

    def creates(self, asked: Asked) -> bool:
        """Says whether a request creates something; a vendor that reads by POST overrides it."""
        return asked.method != "GET"

    def deliver(self, http: Http, *batch: Delivery) -> tuple[Mapping[str, Outcome], InstallationError | None]:
        """Deliver a batch; returns the outcomes, and the installation's error if there was one."""
        error: InstallationError | None = None
        try:
            outcomes = asyncio.run(self._deliver(http, batch))
        except InstallationError as raised:
            outcomes, error = raised.outcomes, raised
            self.assert_worded(error.said)
        for outcome in outcomes.values():
            assert outcome.said or outcome.status in (Status.DELIVERED, Status.ACCEPTED), outcome
            self.assert_worded(*outcome.said)
        return outcomes, error

    async def _deliver(self, http: Http, batch: Sequence[Delivery]) -> Mapping[str, Outcome]:
        return await self.session(http).deliver(batch)

    def assert_worded(self, *said: Said) -> None:
        """Both languages have words for whatever was said, and it carries every value that stands in them."""
        for one in said:
            for language in ("ru", "en"):
                found = {**common_words[language], **self.connector.words.get(language, {})}.get(one.code)
                assert found is not None, (language, one)
                named = {name for _, name, _, _ in Formatter().parse(f"{found.what} {found.to_do}") if name}
                assert named <= {"crm", *one.values}, (language, one)

    def requests(self) -> list[Asked]:
        """Return the requests of an undisturbed delivery."""
        http = Scripted(self.connector, self.created)
        self.deliver(http, delivery())
        return http.asked

    def broken(self, at: Asked, fault: BaseException | Answer) -> tuple[Outcome | None, InstallationError | None]:
        """Deliver with one request disturbed; an absent outcome was certainly not sent."""
        outcomes, error = self.deliver(Scripted(self.connector, self.created, at, fault), delivery())
        return outcomes.get(DELIVERY_ID), error

    # -- the manifest

    def test_name_is_the_folder(self) -> None:
        name = self.connector.manifest.name
        assert importlib.import_module(f"connectors.{name}").connector is self.connector

    def test_capabilities_are_told_in_sentences(self) -> None:
        for can, caveat in self.connector.manifest.can.items():
            assert isinstance(can, Can)
            if caveat is not None:
                self.assert_worded(caveat)
                assert all(words[caveat.code].what.endswith(".") for words in self.connector.words.values())

    def test_limits_allow_something(self) -> None:
        limits = self.connector.manifest.limits
        assert min(limits.batch, limits.per_second, limits.burst) > 0
        assert limits.timeout > timedelta()
        assert limits.search_lag >= timedelta()

    def test_hosts_are_plain_names(self) -> None:
        assert self.connector.manifest.hosts
        assert all("/" not in host and "*" not in host for host in self.connector.manifest.hosts)

    # -- deliver

    def test_delivers_and_names_the_deal(self) -> None:
        outcomes, _ = self.deliver(Scripted(self.connector, self.created), delivery())
        assert outcomes[DELIVERY_ID].status is Status.DELIVERED
        assert {"deal", "note", "task"} <= {ref.kind for ref in outcomes[DELIVERY_ID].refs}

    def test_names_exactly_the_batch(self) -> None:
        other = delivery(enquiry(caller="+79035550011"), id="d-2", marker="hub:other")
        outcomes, _ = self.deliver(Scripted(self.connector, self.created), delivery(), other)
        assert outcomes.keys() == {DELIVERY_ID, "d-2"}
        assert outcomes["d-2"].status is not Status.DELIVERED  # no answer speaks of it

    def test_one_caller_is_not_served_twice_in_a_batch(self) -> None:
        outcomes, _ = self.deliver(Scripted(self.connector, self.created), delivery(), delivery(id="d-2"))
        assert outcomes["d-2"].status is Status.RETRY

    def test_a_request_that_creates_names_whom_it_is_for(self) -> None:
        http = Scripted(self.connector, self.created)
        self.deliver(http, delivery())
        assert (DELIVERY_ID,) in http.named
        assert set(http.named) <= {(DELIVERY_ID,), (), None}

    def test_an_empty_batch_asks_nothing(self) -> None:
        http = Scripted(self.connector, self.created)
        outcomes, _ = self.deliver(http)
        assert not outcomes
        assert not http.asked

    def test_an_unreached_vendor_is_certainly_not(self) -> None:
        for asked in self.requests():
            outcome, _ = self.broken(asked, NotSent("ConnectError: refused"))
            assert outcome is None or outcome.status is Status.RETRY, asked

    @pytest.mark.parametrize(
        "how", ["ReadTimeout: slow", "ReadError: reset", "WriteError: pipe", "RemoteProtocolError: cut"]
    )
    def test_a_lost_answer_to_a_creation_is_perhaps(self, how: str) -> None:
        self.assert_judged(PerhapsSent(how), Sent.PERHAPS)

    @pytest.mark.parametrize("name", [*TRANSPORT, "SomethingNew"])
    def test_every_error_of_the_client_is_judged(self, name: str) -> None:
        raised = type(name, (Exception,), {})("of the client")  # it is known by its name, as in the table
        self.assert_judged(raised, TRANSPORT.get(name, Sent.PERHAPS))

    def assert_judged(self, fault: Exception | Answer, sent: Sent) -> None:
        """Disturb each request in turn: only a creation that was perhaps sent leaves doubt, and it always does."""
        for asked in self.requests():
            outcome, _ = self.broken(asked, fault)
            doubtful = sent is Sent.PERHAPS and self.creates(asked)
            expected = {Status.UNKNOWN} if doubtful else {None, Status.RETRY}
            assert (outcome and outcome.status) in expected, asked

    def test_one_that_is_told_to_end_ends(self) -> None:
        for asked in self.requests():
            with pytest.raises(asyncio.CancelledError):
                self.broken(asked, asyncio.CancelledError())

    @pytest.mark.parametrize("status", [408, 500, 502, 503, 504])
    def test_a_failing_vendor_is_perhaps(self, status: int) -> None:
        self.assert_judged(answer(status, {"title": "oops"}), Sent.PERHAPS)

    @pytest.mark.parametrize(
        ("status", "why"),
        [(401, Why.UNAUTHORIZED), (402, Why.FORBIDDEN), (403, Why.FORBIDDEN), (429, Why.THROTTLED)],
    )
    def test_a_refused_installation_is_the_one_exception(self, status: int, why: Why) -> None:
        deals: set[bool] = set()
        for asked in self.requests():
            outcome, error = self.broken(asked, answer(status, {"title": "no"}))
            assert error is not None, asked
            assert error.why is why, asked
            assert outcome is None or outcome.status is Status.RETRY, asked
            deals.add(outcome is not None and any(ref.kind == "deal" for ref in outcome.refs))
        assert True in deals  # a deal created before the refusal is not forgotten

    @pytest.mark.parametrize("junk", JUNK, ids=lambda junk: repr(junk[:20]))
    def test_an_unreadable_answer_is_never_success(self, junk: bytes) -> None:
        for asked in self.requests():
            outcome, _ = self.broken(asked, Answer(200, {}, junk))
            assert outcome is None or outcome.status is not Status.DELIVERED, asked

    def test_an_answer_without_our_id_is_perhaps(self) -> None:
        outcomes, _ = self.deliver(Scripted(self.connector, self.nameless), delivery())
        assert outcomes[DELIVERY_ID].status is Status.UNKNOWN

    def test_a_foreign_id_is_ignored(self) -> None:
        outcomes, _ = self.deliver(Scripted(self.connector, self.foreign), delivery())
        assert outcomes.keys() == {DELIVERY_ID}
        assert outcomes[DELIVERY_ID].status is Status.UNKNOWN
        assert "999" not in {ref.id for ref in outcomes[DELIVERY_ID].refs}

    def test_no_creation_is_done_when_its_answer_speaks_of_another(self) -> None:
        for asked in self.requests():
            honest = Scripted(self.connector, self.created).told(asked)
            if not self.creates(asked) or DELIVERY_ID.encode() not in honest.body:
                continue
            others = Answer(200, honest.headers, honest.body.replace(DELIVERY_ID.encode(), b"d-9"))
            outcome, _ = self.broken(asked, others)
            assert outcome is not None, asked
            assert outcome.status is Status.UNKNOWN, asked

    def test_what_is_created_carries_the_marker(self) -> None:
        created = [asked for asked in self.requests() if self.creates(asked)]
        assert MARKER.encode() in created[0].content

    def test_doubt_is_settled_by_looking(self) -> None:
        http = Scripted(self.connector, self.found)
        outcomes, _ = self.deliver(http, delivery(attempt=2, in_doubt=True))
        assert outcomes[DELIVERY_ID].status is Status.DELIVERED
        assert [asked for asked in http.asked if self.creates(asked)] == []

    def test_known_objects_are_not_created_again(self) -> None:
        first, _ = self.deliver(Scripted(self.connector, self.found), delivery(attempt=2, in_doubt=True))
        http = Scripted(self.connector, self.found)
        outcomes, _ = self.deliver(http, delivery(attempt=3, known=first[DELIVERY_ID].refs))
        assert outcomes[DELIVERY_ID].status is Status.DELIVERED
        assert set(outcomes[DELIVERY_ID].refs) == set(first[DELIVERY_ID].refs)
        assert [asked for asked in http.asked if self.creates(asked)] == []

    @pytest.mark.parametrize("name", HOSTILE)
    def test_hostile_enquiries_are_delivered(self, name: str) -> None:
        outcomes, error = self.deliver(Scripted(self.connector, self.created), delivery(enquiry(**HOSTILE[name])))
        assert error is None
        assert outcomes[DELIVERY_ID].status is Status.DELIVERED

    @pytest.mark.parametrize("name", TEXTS)
    def test_hostile_texts_are_delivered_with_the_marker(self, name: str) -> None:
        http = Scripted(self.connector, self.created)
        outcomes, error = self.deliver(http, with_texts(TEXTS[name]))
        assert error is None
        assert outcomes[DELIVERY_ID].status is Status.DELIVERED
        assert any(MARKER in asked.content.decode("utf-8") for asked in http.asked if self.creates(asked))

    def test_a_plan_that_asks_for_nothing_is_delivered(self) -> None:
        plan = replace(delivery().what, rules=())
        outcomes, _ = self.deliver(Scripted(self.connector, self.created), delivery(what=plan))
        assert outcomes[DELIVERY_ID].status is Status.DELIVERED

    def test_what_was_decided_is_told(self) -> None:
        """A new caller of the scripted account: nobody knows him, so the rule for that is followed."""
        outcomes, _ = self.deliver(Scripted(self.connector, self.created), delivery())
        decision = outcomes[DELIVERY_ID].decision
        assert decision is not None
        assert (decision.state, decision.rule, decision.contact) == (CallerState.UNKNOWN, 1, None)

    # -- read-back

    def test_changes_come_with_a_cursor(self) -> None:
        page = asyncio.run(self.session(Scripted(self.connector, self.changed)).changes(None))
        assert page.deals
        assert page.cursor

    @pytest.mark.parametrize("cursor", ["", "junk", "{}", "[]", "null", '{"v":99}', "[" * 9_999])
    def test_a_strange_cursor_loses_nothing(self, cursor: str) -> None:
        start = asyncio.run(self.session(Scripted(self.connector, self.changed)).changes(None))
        page = asyncio.run(self.session(Scripted(self.connector, self.changed)).changes(cursor))
        assert page.deals == start.deals

    # -- secrets

    def test_secrets_and_phones_stay_out_of_texts(self) -> None:
        echo = {"title": "no", "detail": f"access_token={SECRETS[1]} Bearer {SECRETS[1]} {PHONE}"}
        texts = [repr(self.app), repr(self.session(Scripted(self.connector, self.created)))]
        for asked in self.requests():
            for status in (400, 401, 500):
                outcome, error = self.broken(asked, answer(status, echo))
                texts += [repr(outcome), repr(error), str(error)]
        assert not [text for text in texts for secret in (*SECRETS, PHONE) if secret in text]

    def test_secrets_and_phones_stay_out_of_logs(
        self, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
    ) -> None:
        caplog.set_level(logging.DEBUG)
        for asked in self.requests():
            self.broken(asked, answer(401, {"detail": f"Bearer {SECRETS[1]} {PHONE}"}))
            self.broken(asked, PerhapsSent(f"ReadError: {SECRETS[1]} {PHONE}"))
        said = caplog.text + "".join(capsys.readouterr())
        assert not [secret for secret in (*SECRETS, PHONE) if secret in said]
