"""The request that brings a recording: built of what telephony told and of the account's secrets."""

from urllib.parse import parse_qs

import pytest

from tracking_core.telephony import ADAPTERS
from tracking_core.telephony.recordings import Recording

LINK = "https://pbx.example/rec/1.mp3"
TWILIO = "https://api.twilio.com/2010-04-01/Accounts/AC0123abc/Recordings/RE9"
BY_LINK = sorted(ADAPTERS.keys() - {"mango", "zadarma", "twilio"})


def fetch(adapter, *, url=None, named=None, **secrets):
    return ADAPTERS[adapter].recording(Recording(url, named), secrets)


@pytest.mark.parametrize("adapter", BY_LINK)
def test_where_a_link_was_told_it_is_asked_for(adapter):
    asked = fetch(adapter, url=LINK)
    assert (asked.method, asked.url, asked.headers, asked.body) == ("GET", LINK, {}, b"")


@pytest.mark.parametrize("adapter", ADAPTERS)
def test_without_anything_told_there_is_nothing_to_ask(adapter):
    assert fetch(adapter, api_key="k", **dict.fromkeys(ADAPTERS[adapter].secrets_needed, "s")) is None


@pytest.mark.parametrize("adapter", BY_LINK)
def test_a_files_name_alone_leads_nowhere(adapter):
    assert fetch(adapter, id="2026/call-7.wav") is None


def test_mango_is_asked_by_id_and_signed_as_its_events_are():
    asked = fetch("mango", named="REC1", vpbx_api_key="KEY123", vpbx_api_salt="SALT456")
    form = {name: told[0] for name, told in parse_qs(asked.body.decode()).items()}
    assert (asked.method, asked.url) == ("POST", "https://app.mango-office.ru/vpbx/queries/recording/post")
    assert form == {
        "vpbx_api_key": "KEY123",
        "json": '{"recording_id": "REC1", "action": "download"}',
        "sign": "25af0eb5a921bdbd963c70981c2f901724856d1fd08c97df5401c828ef4144aa",  # by sha256sum over key, json, salt
    }


def test_zadarma_is_asked_for_a_link_and_signed():
    asked = fetch("zadarma", named="1795319462.100", api_key="zkey", api_secret="zsecret")
    query = "call_id=1795319462.100&lifetime=180"
    assert asked.url == f"https://api.zadarma.com/v1/pbx/record/request/?{query}"
    assert asked.headers == {"authorization": "zkey:NDgxOGZkODcyZTdmM2VhNjgyYjUzNTVlNDU3ODg4MzFjZmYyMTBkNQ=="}
    assert asked.link_in == "link"


def test_zadarma_without_the_key_of_its_interface_cannot_be_asked():
    assert fetch("zadarma", named="1795319462.100", api_secret="zsecret") is None


def test_twilio_is_asked_with_the_accounts_name_and_token():
    asked = fetch("twilio", url=TWILIO, named="RE9", auth_token="12345")
    assert (asked.url, asked.headers) == (f"{TWILIO}.mp3", {"authorization": "Basic QUMwMTIzYWJjOjEyMzQ1"})


@pytest.mark.parametrize(
    "url",
    [
        TWILIO.replace("api.twilio.com", "evil.example"),
        TWILIO.replace("api.twilio.com", "api.twilio.com.evil.example"),
        TWILIO.replace("https://", "https://evil.example/https://"),
        TWILIO.replace("https", "http"),
    ],
)
def test_twilios_token_goes_to_twilio_alone(url):
    assert fetch("twilio", url=url, auth_token="12345") is None


def test_a_request_never_shows_what_it_proves_us_with():
    asked = fetch("twilio", url=TWILIO, auth_token="12345")
    assert not {"QUMw", "12345", TWILIO} & {word for word in ("QUMw", "12345", TWILIO) if word in repr(asked)}
