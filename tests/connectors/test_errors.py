import httpx
import pytest

from connectors.common_words import common_words
from connectors.errors import (
    ANSWERS,
    OF_INSTALLATION,
    TRANSPORT,
    HostRefused,
    NotSent,
    PerhapsSent,
    Refused,
    Sent,
    Unreadable,
    installation_error,
    not_answered,
    redact,
    verdict,
)
from connectors.protocol import Status, Why


def exceptions_of_httpx():
    found = (getattr(httpx, name) for name in dir(httpx))
    return {kind for kind in found if isinstance(kind, type) and issubclass(kind, Exception)}


def test_every_exception_of_the_client_is_in_the_table():
    assert {kind.__name__ for kind in exceptions_of_httpx()} == set(TRANSPORT)


def test_only_what_happens_before_sending_is_certainly_not():
    certain = {name for name, sent in TRANSPORT.items() if sent is Sent.NOT}
    assert certain == {
        "ConnectError",
        "ConnectTimeout",
        "PoolTimeout",
        "ProxyError",
        "UnsupportedProtocol",
        "InvalidURL",
    }


@pytest.mark.parametrize("kind", sorted(exceptions_of_httpx(), key=lambda kind: kind.__name__))
def test_each_exception_becomes_ours(kind):
    error = not_answered(kind.__new__(kind))
    assert isinstance(error, NotSent if TRANSPORT[kind.__name__] is Sent.NOT else PerhapsSent)


def test_a_new_kind_of_timeout_is_read_as_its_parent():
    class TlsTimeout(httpx.ConnectTimeout):
        pass

    assert isinstance(not_answered(TlsTimeout("x")), NotSent)


def test_an_unknown_exception_is_perhaps():
    assert isinstance(not_answered(KeyError("x")), PerhapsSent)


@pytest.mark.parametrize(
    ("status", "known", "why"),
    [
        (302, Status.RETRY, Why.UNAVAILABLE),
        (303, Status.UNKNOWN, Why.UNREADABLE),
        (400, Status.REJECTED, Why.INVALID),
        (401, Status.RETRY, Why.UNAUTHORIZED),
        (402, Status.RETRY, Why.FORBIDDEN),
        (403, Status.RETRY, Why.FORBIDDEN),
        (405, Status.REJECTED, Why.UNSUPPORTED),
        (408, Status.UNKNOWN, Why.UNAVAILABLE),
        (418, Status.REJECTED, Why.INVALID),
        (422, Status.REJECTED, Why.INVALID),
        (429, Status.RETRY, Why.THROTTLED),
        (500, Status.UNKNOWN, Why.UNAVAILABLE),
        (504, Status.UNKNOWN, Why.UNAVAILABLE),
        (599, Status.UNKNOWN, Why.UNAVAILABLE),
        (600, Status.UNKNOWN, Why.UNREADABLE),
        (100, Status.UNKNOWN, Why.UNREADABLE),
    ],
)
def test_a_status_says_what_became_of_a_creation(status, known, why):
    assert verdict(status).status is known
    assert verdict(status).why is why


def test_no_refusal_is_ever_a_success():
    for status in (*range(100, 200), *range(300, 700)):
        assert verdict(status).status not in (Status.DELIVERED, Status.ACCEPTED), status
        assert all(verdict(status).said.code in words for words in common_words.values()), status


def test_the_table_has_no_success():
    assert not [status for status in ANSWERS if 200 <= status < 300]


@pytest.mark.parametrize(
    ("error", "why"),
    [
        (NotSent("x"), Why.UNAVAILABLE),
        (HostRefused("x"), Why.UNAVAILABLE),
        (PerhapsSent("x"), Why.UNAVAILABLE),
        (Unreadable("x"), Why.UNREADABLE),
        (Refused(401, "x", readable=True, retry_after=None), Why.UNAUTHORIZED),
        (Refused(429, "x", readable=True, retry_after=None), Why.THROTTLED),
        (Refused(503, "x", readable=False, retry_after=None), Why.UNAVAILABLE),
        (Refused(404, "x", readable=False, retry_after=None), Why.UNAVAILABLE),
    ],
)
def test_a_failed_read_is_the_installations_problem(error, why):
    assert installation_error(error).why is why
    assert why in OF_INSTALLATION | {Why.UNREADABLE}


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        ("Authorization: Bearer abc.def", "abc.def"),
        ("authorization=Bearer%20abc", "abc"),
        ('{"access_token":"a1b2","x":1}', "a1b2"),
        ("'refresh_token': 'def502'", "def502"),
        ("client_secret=s3cret&x=1", "s3cret"),
        ("?code=c0de", "c0de"),
        ("eyJ0eXAi.eyJhdWQi.sig", "eyJ0eXAi"),
        ("call from +79161234567 lost", "+7916"),
        ("call from 8 (916) 123-45-67 lost", "123-45"),
        ("query=%2B79161234567", "7916"),
    ],
)
def test_secrets_and_phones_are_hidden(text, hidden):
    assert hidden not in redact(text)


def test_plain_words_and_ids_stay():
    assert redact("HTTP 404: lead 21000003 not found") == "HTTP 404: lead 21000003 not found"


def test_texts_are_cut():
    assert len(redact("x" * 10_000)) == 400
