"""What docs/telephony.md tells people to paste into their exchanges is what the adapters read."""

import json
import re
from datetime import UTC, datetime
from html import unescape
from pathlib import Path
from urllib.parse import parse_qsl, urlencode
from xml.etree import ElementTree
from zoneinfo import ZoneInfo

import pytest

from tracking_core.call import CallStatus, fold
from tracking_core.telephony import ADAPTERS, CallRequest
from tracking_core.telephony.proof import basic

PAGE = (Path(__file__).parents[2] / "docs/telephony.md").read_text(encoding="utf-8")
NOW = datetime(2026, 11, 22, 12, 2, tzinfo=UTC)
FILLED_IN = {
    "call_session_id": 987654321,
    "virtual_phone_number": "74951112233",
    "contact_phone_number": "79161234567",
    "notification_time": "2026-11-22 15:01:10",
    "notification_timestamp": 1795348870,
    "start_time": "2026-11-22 15:00:00",
    "direction": "in",
    "talk_time_duration": 60,
    "wait_time_duration": 10,
    "total_time_duration": 70,
    "employee_full_name": "Анна",
    "extension_phone_number": "101",
    "file_link": "https://app.comagic.ru/system/media/talk/1/2/",
}
IN_THE_DIALPLAN = {
    "CHANNEL(linkedid)": "1795321025.0",
    "CHANNEL(name)": "PJSIP/main-00000001",
    "CALLERID(num)": "79161234567",
    "CT_DID": "74951112233",
    "PJSIP_HEADER(read,X-Visit-Id)": "v-777",
    "EPOCH": "",
    "DIALSTATUS": "ANSWER",
    "DIALEDTIME": "5",
    "ANSWEREDTIME": "3",
    "HANGUPCAUSE": "16",
}


def shown(kind: str) -> str:
    (found,) = re.findall(rf"```\w+ {kind}\n(.*?)```", PAGE, re.DOTALL)
    return found


def parsed(name: str, request: CallRequest):
    secrets = dict.fromkeys(ADAPTERS[name].secrets_needed, "SECRET")
    return ADAPTERS[name].parse(request, secrets, NOW, ZoneInfo("Europe/Moscow"))


def uis(event: str):
    body = re.sub(r"{{(\w+)}}", lambda name: json.dumps(FILLED_IN[name[1]]), shown(f"uis-{event}"))
    return parsed("uis", CallRequest("POST", "/", {}, {}, body.encode()))


@pytest.mark.parametrize("event", ["ringing", "answered", "ended", "recorded"])
def test_a_template_for_uis_is_read(event):
    (told,) = uis(event)
    assert (told.kind, told.provider_call_id) == (event, "987654321")


def test_the_templates_for_uis_tell_the_whole_call():
    call = fold([*uis("ringing"), *uis("ended"), *uis("recorded")], NOW)
    assert (call.status, call.did, call.caller, call.talk_s, call.operator, call.recording_url) == (
        CallStatus.ANSWERED,
        "+74951112233",
        "+79161234567",
        60,
        "Анна",
        FILLED_IN["file_link"],
    )


def dialled(text: str) -> str:
    """Replace what the dialplan replaces: the inner functions first."""
    text = re.sub(r"\$\{STRFTIME\(.*?SZ\)\}", "2026-11-22T04:17:10Z", text)
    text = re.sub(r"\$\{URIENCODE\(\$\{(.*?)\}\)\}", lambda name: urlencode({"": IN_THE_DIALPLAN[name[1]]})[1:], text)
    return re.sub(r"\$\{([^{}]+)\}", lambda name: IN_THE_DIALPLAN[name[1]], text)


def asterisk():
    sent = re.findall(r"CURL\(ADDRESS,(.*)\)\}\)$", shown("asterisk"), re.MULTILINE)
    (credentials,) = set(re.findall(r"userpwd\)=(.*)\)", shown("asterisk")))
    headers = {"authorization": basic(*credentials.split(":"))}
    forms = [dict(parse_qsl(dialled(text), strict_parsing=True)) for text in sent]
    return [parsed("asterisk", CallRequest("POST", "/", headers, {}, urlencode(form).encode()))[0] for form in forms]


def test_the_dialplan_for_asterisk_tells_a_start_an_answer_and_an_end():
    assert [told.kind for told in asterisk()] == ["ringing", "answered", "ended"]


def test_the_dialplan_for_asterisk_tells_the_whole_call():
    call = fold(asterisk(), NOW)
    assert (call.status, call.did, call.caller, call.talk_s, call.operator, call.visit_id) == (
        CallStatus.ANSWERED,
        "+74951112233",
        "+79161234567",
        3,
        "main",
        "v-777",
    )


def test_the_route_for_kamailio_sends_the_fields_of_the_adapter_s_example():
    sent = re.findall(r'jansson_set\("\w+","(\w+)"', shown("kamailio"))
    secrets = {"secret": "SECRET"}
    example = json.loads(ADAPTERS["kamailio"].example(secrets, NOW).body)
    assert set(sent) == {*example, "x_visit"}


def test_the_credentials_for_freeswitch_are_those_of_its_example():
    (credentials,) = re.findall(r'"cred" value="(.*)"', shown("freeswitch"))
    example = ADAPTERS["freeswitch"].example({"secret": "SECRET"}, NOW)
    assert example.header("authorization") == basic(*credentials.split(":"))


def test_the_table_names_every_adapter_with_its_secrets():
    rows = dict(re.findall(r"^\| \[.*?\]\(.*?\) \| `(\w+)` \| (.*?) \|", PAGE, re.MULTILINE))
    told = {name: tuple(re.findall(r"`(\w+)`", secrets)) for name, secrets in rows.items()}
    assert told == {name: adapter.secrets_needed + adapter.secrets_optional for name, adapter in ADAPTERS.items()}


@pytest.mark.parametrize("exchange", ["asterisk", "freeswitch", "kamailio"])
def test_every_dialplan_asks_for_one_line_with_the_number_that_was_dialled(exchange):
    (asked,) = re.findall(r"ROUTE\?(\S+)", unescape(shown(f"{exchange}-route")))
    assert asked.startswith("answer=text&to=$")


def test_the_dialplan_of_freeswitch_is_well_formed_and_tells_every_kind_of_destination():
    plan = ElementTree.fromstring(f"<context>{shown('freeswitch-route')}</context>")
    patterns = [one.get("expression", "") for one in plan.iter("condition")]
    goes = {"+74951000000": 1, "sip:sales@pbx.example": 2, "*98": 3, "reception": 3, "": 4}
    found = {said: next(n for n, one in enumerate(patterns) if re.search(one, f"goes_{said}")) for said in goes}
    assert found == goes


def test_every_ending_for_twilio_is_named():
    from tracking_core.telephony.twilio import _READERS

    assert [ending for ending in _READERS if f"| `{ending}" not in PAGE] == []
