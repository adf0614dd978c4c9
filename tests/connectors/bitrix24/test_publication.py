"""Every rule of publication has an application that breaks it, and nothing else is told of that application."""

from dataclasses import replace
from io import BytesIO

import pytest
from PIL import Image

from connectors.bitrix24 import connector, publication_app
from connectors.bitrix24.mappings import CARD_TABS
from connectors.bitrix24.publication import ASKS, GET_PAGE, HEAD_PAGE, POST_EVENT, check
from connectors.bitrix24.publication_app import LOG
from connectors.errors import NotSent, PerhapsSent
from connectors.http import Answer
from connectors.protocol import Can
from connectors.publication import Ask, Card, Looked, Ruling
from tests.house.source import files

HUB = "https://hub.example.com"
PRIVACY, SUPPORT = Ask("GET", "/privacy"), Ask("GET", "/support")
POLICY = {"content-security-policy": "default-src 'self'; frame-ancestors 'none'", "referrer-policy": "no-referrer"}
NOBODY = {"he hasn't named himself": "Set HUB_OPERATOR.", "no e-mail is named": "Set HUB_SUPPORT_EMAIL."}


def answer(status=200, headers=POLICY, body=b"<h1>Romashka</h1>"):
    return Answer(status, headers, body)


def picture(size=(400, 400), mode="RGB", kind="PNG"):
    out = BytesIO()
    Image.new(mode, size).save(out, kind)
    return out.getvalue()


SHOTS = {"icon.png": picture(), "deal.png": picture((1280, 720))}
CARD = Card(
    name="Romashka Calls",
    short_description="Knows which advertisement a call came from. Writes it into the deal.",
    tags=("calls", "advertising"),
    categories=("Analytics",),
    keywords="calls, advertising, call tracking",
    icon="icon.png",
    screenshots=("deal.png",),
    pictures=SHOTS,
)
LOGIN = answer(303, {"location": "/login?next=%2Fconnections%2F1%2Frequests"})
GOOD = Looked(
    connector=connector,
    base_url=HUB,
    answers={ask: answer() for ask in ASKS} | {POST_EVENT: answer(400), LOG: LOGIN},
    unnamed=NOBODY,
    card=CARD,
)


def answered(ask, given):
    """An application of which one address answers this."""
    return replace(GOOD, answers={**GOOD.answers, ask: given})


def page(**headers):
    """An application whose page has these headers besides, or in place of its own."""
    return answered(GET_PAGE, answer(headers=POLICY | {name.replace("_", "-"): text for name, text in headers.items()}))


def manifested(**changed):
    return replace(GOOD, connector=replace(GOOD.connector, manifest=replace(GOOD.connector.manifest, **changed)))


def scoped(*scopes):
    return manifested(oauth=replace(connector.manifest.oauth, scopes=scopes))


def limited(**changed):
    return manifested(limits=replace(connector.manifest.limits, **changed))


def carded(**changed):
    return replace(GOOD, card=replace(CARD, **changed))


def with_icon(raw):
    return carded(pictures=SHOTS | {"icon.png": raw})


def unreachable(detail):
    """An application of which nothing answers."""
    return replace(GOOD, answers={ask: NotSent(detail) for ask in ASKS})


def broken(looked):
    return [one for one in check(looked) if one.ruling is Ruling.BROKEN]


def of(looked, rule):
    return [one for one in check(looked) if one.rule == rule]


def the_certificate(looked):
    (found,) = of(looked, "T2")
    return found


def test_an_application_that_keeps_every_rule_breaks_none():
    assert broken(GOOD) == []


def test_every_rule_of_the_checklist_is_told():
    told = [one.rule for one in check(GOOD) if one.rule.startswith("T")]
    assert told == [f"T{number}" for number in range(1, 16)]


def test_whatever_is_broken_says_what_is_there_what_is_allowed_and_what_to_do():
    worst = replace(unreachable("ConnectError: refused"), connector=scoped("entity").connector)
    told = [one for one in check(worst) if one.ruling is Ruling.BROKEN]
    assert [one for one in told if not (one.found and one.allowed and one.to_do)] == []


def test_whatever_a_person_must_look_at_says_at_what():
    told = [one for one in check(replace(GOOD, card=None)) if one.ruling is Ruling.LOOK]
    assert [one for one in told if not one.to_do] == []


def test_the_log_of_requests_is_kept():
    (told,) = of(GOOD, "T7")
    assert told.ruling is Ruling.KEPT and "3 days at least" in told.found


@pytest.mark.parametrize("rule", ["T8", "T10", "T11", "T12", "T14", "T15"])
def test_what_no_program_can_judge_a_person_must_look_at(rule):
    assert [one.ruling for one in of(GOOD, rule)] == [Ruling.LOOK]


def test_an_own_server_that_the_operator_named_is_a_portal():
    (told,) = of(GOOD, "T5")
    assert told.ruling is Ruling.KEPT and "that you name in HUB_APPS" in told.found


@pytest.mark.parametrize(
    ("careless", "found"),
    [(lambda _app, named: named, "a portal may name its own host"), (lambda _app, _named: None, "is no portal")],
)
def test_an_own_server_is_one_only_by_the_operators_word(monkeypatch, careless, found):
    monkeypatch.setattr("connectors.bitrix24.publication_app.account_host", careless)
    (told,) = of(GOOD, "T5")
    assert told.ruling is Ruling.BROKEN and found in told.found


def test_a_webhook_by_hand_is_for_the_moderators_to_judge():
    (told,) = of(GOOD, "T3")
    assert told.ruling is Ruling.LOOK and "not OAuth" in told.found


def test_without_one_consent_is_all_there_is():
    (told,) = of(replace(GOOD, connector=replace(GOOD.connector, by_hand=None)), "T3")
    assert told.ruling is Ruling.KEPT


@pytest.mark.parametrize(
    ("looked", "rule", "found"),
    [
        (answered(HEAD_PAGE, answer(404)), "T1", f"{HUB}/frame/bitrix24 answers 404"),
        (answered(HEAD_PAGE, answer(303)), "T1", f"{HUB}/frame/bitrix24 answers 303"),
        (answered(HEAD_PAGE, PerhapsSent("ReadTimeout: late")), "T1", "no answer: ReadTimeout: late"),
        (replace(GOOD, base_url="http://hub.example.com"), "T2", "the address begins with http://"),
        (answered(POST_EVENT, answer(404)), "1.2", f"{HUB}/oauth/bitrix24/callback answers 404"),
        (answered(POST_EVENT, answer(405)), "1.2", f"{HUB}/oauth/bitrix24/callback answers 405"),
        (answered(POST_EVENT, answer(502)), "1.2", f"{HUB}/oauth/bitrix24/callback answers 502"),
        (answered(POST_EVENT, PerhapsSent("ReadTimeout: late")), "1.2", "no answer: ReadTimeout: late"),
        (manifested(settings=type("S", (), {"model_fields": {"password": None}})), "T3", "asked for: password"),
        (scoped("crm", "user"), "T4", "user is not needed for anything"),
        (limited(burst=51), "T6", "51 hits at once"),
        (limited(per_second=2.1), "T6", "2.1 a second"),
        (answered(LOG, answer(404)), "T7", "/connections/1/requests answers 404"),
        (answered(LOG, answer(303, {"location": "https://elsewhere.example/"})), "T7", "does not lead to the login"),
        (answered(LOG, PerhapsSent("ReadTimeout: late")), "T7", "no answer: ReadTimeout: late"),
        (manifested(can={Can.CONTACT: None, Can.DEAL: None}), "T13", "the connector cannot: read_back"),
        (answered(GET_PAGE, answer(404)), "7.3", f"{HUB}/frame/bitrix24 answers 404"),
        (answered(GET_PAGE, PerhapsSent("ReadTimeout: late")), "7.3", "no answer: ReadTimeout: late"),
        (page(x_frame_options="SAMEORIGIN"), "7.3", "X-Frame-Options: SAMEORIGIN"),
        (page(content_security_policy="default-src 'self'"), "7.3", "no frame-ancestors"),
        (page(referrer_policy=""), "7.3", "no Referrer-Policy"),
        (page(referrer_policy="unsafe-url"), "7.3", "Referrer-Policy: unsafe-url"),
        (page(set_cookie="sid=1"), "7.3", "a cookie is set"),
        (answered(PRIVACY, answer(404)), "8.2", f"{HUB}/privacy answers 404"),
        (answered(PRIVACY, PerhapsSent("ReadTimeout: late")), "8.2", "no answer: ReadTimeout: late"),
        (answered(PRIVACY, answer(body=b"Run by: he hasn&#39;t named himself.")), "8.2", "it says: he hasn't named himself"),
        (answered(SUPPORT, answer(body=b"And no e-mail is named.")), "8.2", "it says: no e-mail is named"),
        (carded(short_description="One. Two. Three."), "8.2", "3 sentences"),
        (carded(tags=tuple("abcdef")), "8.2", "6"),
        (carded(categories=tuple("abcdef")), "8.2", "6"),
        (carded(keywords="a, " * 667), "8.2", "2,001 characters"),
        (carded(keywords="calls; advertising"), "8.2", "separated by something else"),
        (carded(categories=("Integrations – Telephony",)), "8.4", "Integrations – Telephony"),
        (carded(categories=("Аналитика", "Интеграции – Телефония")), "8.4", "Интеграции – Телефония"),
        (with_icon(b"no picture"), "8.2", "icon.png cannot be read as a picture"),
        (with_icon(picture(kind="GIF")), "8.2", "icon.png is of the format GIF"),
        (with_icon(picture((249, 249))), "8.2", "icon.png is 249x249"),
        (with_icon(picture((651, 651))), "8.2", "icon.png is 651x651"),
        (with_icon(picture((400, 401))), "8.2", "icon.png is 400x401"),
        (with_icon(picture(mode="RGBA")), "8.2", "icon.png is with alpha"),
        (carded(screenshots=("gone.png",)), "8.2", "cannot be read as a picture"),
        (carded(pictures=SHOTS | {"deal.png": picture((1281, 720))}), "8.2", "1281x720"),
        (carded(pictures=SHOTS | {"deal.png": picture((1280, 721))}), "8.2", "1280x721"),
    ],
)  # fmt: skip
def test_a_rule_that_is_broken_is_told_and_no_other(looked, rule, found):
    (told,) = broken(looked)
    assert told.rule == rule
    assert found in told.found


@pytest.mark.parametrize(
    ("detail", "found"),
    [
        ("self-signed certificate (_ssl.c:992)", "nobody vouches for it"),
        ("self signed certificate in certificate chain (_ssl.c:992)", "nobody vouches for it"),
        ("unable to get local issuer certificate (_ssl.c:992)", "does not send the whole chain"),
        ("certificate has expired (_ssl.c:992)", "it has expired"),
        ("certificate is not yet valid (_ssl.c:992)", "its time has not begun"),
        ("Hostname mismatch, certificate is not valid for 'hub.example.com'. (_ssl.c:992)", "it is of another name"),
        ("CA md too weak (_ssl.c:992)", "the certificate does not verify: CA md too weak"),
    ],
)
def test_a_certificate_that_does_not_verify_is_told_in_words(detail, found):
    told = the_certificate(
        unreachable(f"ConnectError: [SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: {detail}")
    )
    assert told.ruling is Ruling.BROKEN and told.found.endswith(found)


def test_a_port_without_tls_is_told():
    told = the_certificate(unreachable("ConnectError: [SSL: WRONG_VERSION_NUMBER] wrong version number (_ssl.c:992)"))
    assert told.ruling is Ruling.BROKEN and "no TLS is spoken there" in told.found


def test_an_address_where_nobody_answers_shows_no_certificate():
    told = the_certificate(unreachable("ConnectError: All connection attempts failed"))
    assert told.ruling is Ruling.BROKEN and "no certificate was seen" in told.found


@pytest.mark.parametrize("status", [200, 301, 302])
def test_a_page_may_redirect(status):
    assert broken(answered(HEAD_PAGE, answer(status))) == []


@pytest.mark.parametrize("status", [200, 301, 302, 405])
def test_a_page_may_refuse_a_get(status):
    assert broken(answered(GET_PAGE, answer(status))) == []


def test_each_permission_that_is_needed_is_used():
    code = "".join(
        path.read_text("utf-8") for path in files("connectors/bitrix24") if not path.name.startswith("publication")
    )
    assert [method for method, _ in publication_app.NEEDED.values() if f'"{method}"' not in code] == []


@pytest.mark.parametrize("sources", ["'none'", "'self' *", "'self' https://romashka.bitrix24.ru"])
def test_outside_of_a_portal_a_page_may_name_anybody_or_nobody(sources):
    assert broken(page(content_security_policy=f"default-src 'self'; frame-ancestors {sources}")) == []


@pytest.mark.parametrize("value", ["no-referrer", "same-origin", "strict-origin-when-cross-origin", "no-such, origin"])
def test_a_page_may_tell_its_origin(value):
    assert broken(page(referrer_policy=value)) == []


def test_the_tabs_to_declare_are_those_the_connector_binds():
    (told,) = of(GOOD, "T14")
    assert [code for code in CARD_TABS if code not in told.to_do] == []


def test_without_a_card_all_of_it_is_a_persons_to_look_at():
    told = [one for one in check(replace(GOOD, card=None)) if one.rule in ("8.2", "8.4") and "page /" not in one.about]
    assert {one.ruling for one in told} == {Ruling.LOOK}
    assert {"Icon", "Keywords", "Screenshots", "Short description"} <= {one.about for one in told}


@pytest.mark.parametrize(
    ("given", "sentences"),
    [("Calls.", "one sentence"), ("Counts calls, e. g. of advertising! «Второе».", "2 sentences"), ("No end", "one sentence")],
)  # fmt: skip
def test_sentences_are_counted(given, sentences):
    (told,) = [one for one in check(carded(short_description=given)) if one.about == "Short description"]
    assert (told.ruling, told.found) == (Ruling.KEPT, sentences)


@pytest.mark.parametrize("side", [250, 650])
@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_an_icon_may_be_of_these_sizes_and_formats(side, kind):
    assert broken(with_icon(picture((side, side), kind=kind))) == []


def test_an_icon_with_a_transparent_colour_has_alpha():
    out = BytesIO()
    Image.new("P", (400, 400)).save(out, "PNG", transparency=0)
    (told,) = broken(with_icon(out.getvalue()))
    assert told.found == "icon.png is with alpha"
