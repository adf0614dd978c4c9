"""What no log may hold is hidden however it is spelt, and what helps to see what went wrong stays."""

import json
import time
from urllib.parse import quote

import pytest

from connectors.masking import masked

TOKEN = "7f3a9c-def502-0b1d"
PHONE = "+79161234567"


@pytest.mark.parametrize(
    "key",
    ["access_token", "refresh_token", "auth", "AUTH_ID", "REFRESH_ID", "application_token", "client_secret", "APP_SID", "password",
     "x-api_key", "code", "state", "sign", "PHPSESSID"],
)  # fmt: skip
@pytest.mark.parametrize(
    "spelt",
    [
        '{{"{0}":"{1}","x":1}}',
        '{{"x": {{"{0}": "{1}"}}}}',
        '{{"{0}": ["{1}", "{1}"]}}',
        '{{"{0}":"{1}',  # cut
        '{{"json":"{{\\"{0}\\":\\"{1}\\"}}"}}',
        "{0}={1}&x=1",
        "x=1&{0}={1}",
        "x=1&a[{0}]={1}",
        "x=1&a%5B{0}%5D={1}",
        '{{"cmd":{{"a":"m?b%5B{0}%5D={1}&c=1"}}}}',
        "cmd%5Ba%5D=m%3Fb%255B{0}%255D%3D{1}%26c%3D1",
        "https://romashka.example/rest/x?{0}={1}",
        "https:\\/\\/romashka.example\\/x?{0}={1}",
    ],
)
def test_what_a_secret_key_holds_is_hidden(key: str, spelt: str) -> None:
    text = spelt.format(key, TOKEN)
    assert TOKEN in text
    assert "def502" not in masked(text)
    assert key in masked(text)


@pytest.mark.parametrize(
    "key", ["name", "NAME", "lastName", "LAST_NAME", "secondName", "SECOND_NAME", "first_name", "fio"]
)
@pytest.mark.parametrize(
    "spelt",
    [
        '{{"{0}":"{1}","x":1}}',
        '{{"{0}" : "{1}',
        '{{"{0}":"{2}"}}',
        '{{"{0}":"\\"{1}\\" {1}"}}',
        "fields[{0}]={3}&x=1",
        '{{"cmd":{{"a":"crm.item.add?fields%5B{0}%5D={3}&x=1"}}}}',
        '{{"cmd":{{"a":"crm.item.add?fields%5B{0}%5D=%22{3}%22%20{3}%26{3}&x=1"}}}}',
    ],
)
def test_names_of_people_are_hidden(key: str, spelt: str) -> None:
    name = "Пётр"
    text = spelt.format(key, name, json.dumps(name)[1:-1], quote(name))
    assert name not in masked(text)
    assert "%D1" not in masked(text)
    assert "***" in masked(text)


@pytest.mark.parametrize(
    "spelt",
    [
        "+79161234567", "79161234567", "89161234567", "9161234567", "8 (916) 123-45-67", "+7 916 123 45 67", "8-916-123-45-67",
        "8.916.123.45.67", "+7(916)1234567", "%2B79161234567", "%252B79161234567", "8+916+123+45+67", "8%20916%20123-45-67",
        "\\u002b79161234567", "\\u00379161234567", "_79161234567_101.mp3", "tel:79161234567", "x79161234567y",
        "2026-11-23 79161234567", "8 916\u00a0123‑45‑67",
    ],
)  # fmt: skip
@pytest.mark.parametrize(
    "around", ["{}", '{{"value":"{}"}}', '{{"value":{},"x":1}}', "query={}&x=1", "call from {}, lost"]
)
def test_phones_are_masked_but_for_two_digits(spelt: str, around: str) -> None:
    found = masked(around.format(spelt))
    assert sum(one.isdigit() for one in found.replace("2026-11-23", "").replace("101", "")) <= 5
    assert "67" in found
    for part in ("9161", "916 1", "123-4", "1234", "916)"):
        assert part not in found


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ('{"PHONE":"234-56-78","x":1}', '{"PHONE":"***-**-78","x":1}'),
        ('{"work_phone":2345678,"x":1}', '{"work_phone":*****78,"x":1}'),
        ("fields[PERSONAL_MOBILE]=2345678&x=1", "fields[PERSONAL_MOBILE]=*****78&x=1"),
        ('{"HAS_PHONE":"Y","phone":null,"fax":""}', '{"HAS_PHONE":"Y","phone":null,"fax":""}'),
    ],
)
def test_a_short_number_is_masked_where_a_key_says_what_it_is(text: str, shown: str) -> None:
    assert masked(text) == shown


@pytest.mark.parametrize(
    "spelt", ["ivan@romashka.ru", "ivan%40romashka.ru", "i.van+1@mail.romashka.ru", "иван@ромашка.рф"]
)
@pytest.mark.parametrize("around", ["{}", '{{"EMAIL":"{}"}}', "<{}>", "email={}&x=1", "a@id {}, b"])
def test_mail_addresses_are_masked(spelt: str, around: str) -> None:
    found = masked(around.format(spelt))
    assert "van" not in found and "ива" not in found
    assert "romashka" not in found and "ромашка" not in found


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        ("https://romashka.example/rest/1/a1b2c3d4e5f6g7h8/crm.deal.list.json", "a1b2c3d4e5f6g7h8"),
        ("https:\\/\\/romashka.example\\/rest\\/1\\/abcdefgh\\/profile", "abcdefgh"),
        ('{"destination":"https://hub.example/hooks/acme/Xx0aBcDeFgHiJkLmNoPqRsTuVwXyZ-_A"}', "Xx0aBc"),
        ("handler=https%3A%2F%2Fhub.example%2Fhooks%2Facme%2FXxaBcDeFgHiJkLmNoPqRsTuVwXyZ-_Aa", "XxaBc"),
        ("note: https://hub.example/recordings/q1W2e3R4t5Y6u7I8o9P0a1S2d3F4g5H6j7K8l9Z0x1C", "q1W2e3"),
        ("https://records.example/2026/20261123-142842_79161234567_101.mp3", "9161234"),
        ('{"odd":"Bearer abc.def"}', "abc.def"),
        ('{"odd":"eyJ0eXAi.eyJhdWQi.sig"}', "eyJhdWQi"),
        ('{"odd":"def50200aabbccddeeff00112233445566778899aabbccddeeff"}', "def50200"),
    ],
)
def test_secrets_are_hidden_where_no_key_tells_of_them(text: str, hidden: str) -> None:
    assert hidden in text or hidden in text.replace("%2F", "/")
    assert hidden not in masked(text)


@pytest.mark.parametrize(
    "text",
    [
        '{"id":21000003,"status_id":142,"price":1234567.50,"created_at":1732369722,"ms":1732369722123}',
        '{"createdTime":"2026-11-23T14:28:42+03:00","closed":"2026-11-23 14:28:42","on":"23.11.2026 14:28"}',
        '{"ORIGIN_ID":"hub:0123456789abcdef01234567890abcde"}',
        '{"error":"ERROR_CORE","error_description":"Field UF_CRM_HUB_SOURCE is not there"}',
        '{"validation-errors":[{"errors":[{"code":"InvalidType","path":"_embedded.tags","detail":"is wrong"}]}]}',
        '{"auth":null,"name":"","token":[],"state":"","secret":{"x":1}}',
        "https://romashka.example/api/v4/leads/21000003/custom_fields_values?page=1&limit=250",
        '{"uid":"0f8fad5b-d9cb-469f-a165-70867728950e"}',
        '{"start":1732369722.123456,"duration":0.0123}',
        "crm.item.list?filter[@id][0]=12&filter[>=updatedTime]=x",
        "",
    ],
)
def test_what_helps_to_see_what_went_wrong_stays(text: str) -> None:
    assert masked(text) == text


def test_escaped_letters_are_read() -> None:
    assert masked("TITLE=%D0%97%D0%B2%D0%BE%D0%BD%D0%BE%D0%BA") == "TITLE=Звонок"
    assert masked(r'{"error":"\u041d\u0435\u0442"}') == '{"error":"Нет"}'


def test_what_holds_a_text_together_stays_escaped() -> None:
    text = r'{"a":"x%22y%26z\u0022w\\u0441"}'
    assert masked(text) == text
    assert json.loads(masked(text))


@pytest.mark.parametrize(
    "ill",
    ["a" * 4_000, "%41" * 1_300, "\\u0041" * 700, "@" * 4_000, "a@" * 2_000, "1 " * 2_000, "+(" * 2_000, '"name":' * 600,
     '\\"' * 2_000, "name=" * 800, "/" * 4_000, "1-" * 2_000, "eyJ" * 1_300, "bearer " * 600, "[" * 4_000, "0a" * 2_000,
     "phone=" + "1" * 4_000, "eyJ." * 1_000],
    ids=range(18),
)  # fmt: skip
def test_no_text_takes_long(ill: str) -> None:
    begun = time.process_time()
    masked(ill)
    assert time.process_time() - begun < 0.5
