"""Where a visit came from: tables of the DNI sheet, sections 5 to 7."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tracking_core.channel import channel_of_tags
from tracking_core.source import Channel, Source, read_source

SITE = "https://www.okna.example/catalog"
OWN = ("okna.example",)


def source_of(query: str = "", referrer: str = "") -> Source:
    return read_source(f"{SITE}?{query}" if query else SITE, referrer, OWN)


@pytest.mark.parametrize(
    ("source", "medium", "campaign", "channel"),
    [
        ("google", "cpc", "", Channel.PAID_SEARCH),
        ("yandex", "cpc", "", Channel.PAID_SEARCH),
        ("google", "cpm", "", Channel.PAID_SEARCH),
        ("vk", "cpc", "", Channel.PAID_SOCIAL),
        ("vk_ads", "cpc", "", Channel.PAID_SOCIAL),  # the sheet's advice: aliases
        ("youtube", "paid", "", Channel.PAID_VIDEO),
        ("foo", "cpc", "shop-sale", Channel.PAID_SHOPPING),
        ("foo", "cpc", "eshop", Channel.PAID_SHOPPING),
        ("foo", "cpm", "shop", Channel.PAID_SHOPPING),
        ("foo", "cpc", "workshop", Channel.PAID_OTHER),
        ("x-network", "banner", "", Channel.DISPLAY),
        ("foo", "cpm", "", Channel.DISPLAY),
        ("yandex", "banner", "", Channel.DISPLAY),
        ("google", "organic", "", Channel.ORGANIC_SEARCH),
        ("site.ru", "referral", "", Channel.REFERRAL),
        ("mailing", "email", "", Channel.EMAIL),
        ("partner", "affiliate", "", Channel.AFFILIATE),
        ("app", "webpush", "", Channel.PUSH),
        ("(direct)", "(none)", "", Channel.DIRECT),
        ("foo", "bar", "", Channel.UNASSIGNED),
        ("Google", "CPC", "", Channel.PAID_SEARCH),
        ("foo", "cpc", "Cross-Network", Channel.CROSS_NETWORK),
        ("telegram", "social", "", Channel.MESSENGER),
        ("shop", "messenger", "", Channel.MESSENGER),
        ("bus-stop", "qr", "", Channel.OFFLINE),
        ("youtube.com", "video", "", Channel.VIDEO),
        ("chatgpt.com", "", "", Channel.AI),
        ("any", "sms", "", Channel.SMS),
        ("podcast", "audio", "", Channel.AUDIO),
        ("amazon", "", "", Channel.SHOPPING),
        *(("some", medium, "", Channel.PAID_OTHER) for medium in ("cpc", "ppc", "paidsearch", "cpv", "cpa", "cpp")),
    ],
)
def test_tags_name_a_channel(source, medium, campaign, channel):
    assert channel_of_tags(source, medium, campaign) is channel


@pytest.mark.parametrize(
    ("referrer", "channel", "name"),
    [
        ("https://yandex.ru/", Channel.ORGANIC_SEARCH, "yandex"),
        ("https://ya.ru/", Channel.ORGANIC_SEARCH, "yandex"),
        ("https://www.google.com/", Channel.ORGANIC_SEARCH, "google"),
        ("https://www.google.co.uk/search?q=x", Channel.ORGANIC_SEARCH, "google"),
        ("https://go.mail.ru/", Channel.ORGANIC_SEARCH, "mail.ru"),
        ("https://duckduckgo.com/", Channel.ORGANIC_SEARCH, "duckduckgo"),
        ("https://yabs.yandex.ru/count/x", Channel.PAID_SEARCH, "yandex"),
        ("https://www.googleadservices.com/pagead", Channel.PAID_SEARCH, "google"),
        ("https://m.vk.com/", Channel.SOCIAL, "vk"),
        ("https://l.facebook.com/", Channel.SOCIAL, "facebook"),
        ("https://dzen.ru/", Channel.SOCIAL, "dzen"),
        ("https://ok.ru/", Channel.SOCIAL, "ok"),
        ("https://t.me/", Channel.MESSENGER, "telegram"),
        ("android-app://org.telegram.messenger/", Channel.MESSENGER, "telegram"),
        ("https://mail.yandex.ru/", Channel.EMAIL, "yandex"),
        ("https://e.mail.ru/", Channel.EMAIL, "mail.ru"),
        ("https://chatgpt.com/", Channel.AI, "chatgpt"),
        ("https://gemini.google.com/", Channel.AI, "gemini"),
        ("https://docs.google.com/", Channel.REFERRAL, "docs.google.com"),
        ("https://forum.example/thread", Channel.REFERRAL, "forum.example"),
        ("https://notvk.com/", Channel.REFERRAL, "notvk.com"),
        ("", Channel.DIRECT, ""),
    ],
)
def test_a_referrer_names_a_channel(referrer, channel, name):
    told = source_of(referrer=referrer)
    assert (told.channel, told.source) == (channel, name)


@pytest.mark.parametrize(
    "referrer",
    [
        "https://okna.example/",
        "https://www.okna.example/",
        "https://blog.okna.example/",
        "https://yookassa.ru/checkout",
        "https://securepayments.sberbank.ru/",
        "https://oplata.bank.example/",
    ],
)
def test_own_hosts_and_payment_gateways_are_no_source(referrer):
    told = source_of(referrer=referrer)
    assert (told.channel, told.referrer_host) == (Channel.DIRECT, "")


def test_a_host_that_only_ends_like_the_site_s_is_another():
    assert source_of(referrer="https://notokna.example/").channel is Channel.REFERRAL


def test_the_mark_of_an_organic_click_does_not_overrule_the_referrer():
    assert source_of("ysclid=l9", "https://vk.com/").channel is Channel.SOCIAL


def test_a_cyrillic_own_host_is_known_in_its_network_spelling():
    told = read_source("https://xn--80atjc.xn--p1ai/", "https://shop.xn--80atjc.xn--p1ai/", ["окна.рф"])
    assert told.channel is Channel.DIRECT


@pytest.mark.parametrize(
    ("query", "channel", "name", "medium"),
    [
        ("yclid=15", Channel.PAID_SEARCH, "yandex", "cpc"),
        ("gclid=Abc", Channel.PAID_SEARCH, "google", "cpc"),
        ("wbraid=Abc", Channel.PAID_SEARCH, "google", "cpc"),
        ("dclid=1", Channel.DISPLAY, "google", "cpc"),
        ("fbclid=1", Channel.PAID_SOCIAL, "facebook", "cpc"),
        ("rb_clickid=1", Channel.PAID_SOCIAL, "vk", "cpc"),
        ("yclid=1&utm_source=email&utm_medium=email", Channel.PAID_SEARCH, "email", "email"),
        ("yclid=1&utm_source=yandex&utm_medium=banner", Channel.DISPLAY, "yandex", "banner"),
        ("ysclid=l9", Channel.ORGANIC_SEARCH, "yandex", "organic"),
    ],
)
def test_a_click_id_goes_before_everything(query, channel, name, medium):
    told = source_of(query)
    assert (told.channel, told.source, told.medium) == (channel, name, medium)


def test_of_several_click_ids_the_sheet_s_order_decides():
    told = source_of("fbclid=f&gclid=g&yclid=y")
    assert told.click_ids == (("yclid", "y"), ("gclid", "g"), ("fbclid", "f"))


def test_of_several_click_ids_the_referrer_s_own_goes_first():
    told = source_of("yclid=y&gclid=g", "https://www.google.com/")
    assert (told.source, told.click_ids[0]) == ("google", ("gclid", "g"))


def test_a_click_id_keeps_its_letter_case():
    assert source_of("GCLID=AbC-d_E").click_ids == (("gclid", "AbC-d_E"),)


def test_tags_go_before_the_referrer():
    told = source_of("utm_source=newsletter&utm_medium=email", "https://yandex.ru/")
    assert (told.channel, told.referrer_host) == (Channel.EMAIL, "yandex.ru")


def test_a_tag_that_says_nothing_leaves_the_channel_to_the_referrer():
    assert source_of("utm_source=spring", "https://vk.com/").channel is Channel.SOCIAL


def test_a_campaign_without_source_takes_its_source_from_the_referrer():
    told = source_of("utm_campaign=May", "https://yandex.ru/")
    assert (told.source, told.medium, told.campaign) == ("yandex", "organic", "May")


def test_utm_referrer_overrides_the_referrer():
    told = source_of("utm_referrer=https%3A%2F%2Fvk.com%2Fgroup", "https://okna.example/")
    assert told.referrer_host == "vk.com"


def test_cyrillic_tags_are_read():
    assert source_of("utm_source=yandex&utm_medium=cpc&utm_term=%D0%BE%D0%BA%D0%BD%D0%B0+2").term == "окна 2"


def test_the_landing_address_carries_no_secrets():
    told = read_source("https://ivan:pw@okna.example/a?Token=s3&x=1&p%61ssword=9&yclid=5#access_token=z", "", OWN)
    assert told.landing == "https://okna.example/a?x=1&yclid=5"


def test_the_landing_address_is_cut():
    assert len(source_of("x=" + "a" * 9_000).landing) == 2_000


def test_a_cut_click_id_is_not_kept():
    assert source_of("gclid=" + "a" * 600).click_ids == ()


def test_only_known_fields_go_to_the_crm():
    told = source_of("utm_source=yandex&utm_medium=cpc&yclid=15", "https://yandex.ru/")
    assert told.fields() == {
        "channel": "paid_search",
        "utm_source": "yandex",
        "utm_medium": "cpc",
        "yclid": "15",
        "referrer": "yandex.ru",
        "landing": SITE + "?utm_source=yandex&utm_medium=cpc&yclid=15",
    }


def test_a_direct_visit_has_only_channel_and_landing():
    assert source_of().fields() == {"channel": "direct", "landing": SITE}


addresses = st.one_of(
    st.text(max_size=200),
    st.text(alphabet="htps:/?#[]@%&=.+\x00\ud800яutm_sourceyclid", max_size=120),
    st.binary(max_size=100).map(lambda raw: "https://okna.example/?utm_source=" + raw.decode("latin-1")),
)


@given(addresses, addresses, st.lists(st.text(max_size=20), max_size=3))
@example("http://[::1", "http://[", ["["])
@example("https://okna.example:port/?utm_source=%00%ED%A0%80&gclid=%00", "//\u2100.example", [""])
def test_any_text_is_a_source_that_can_be_stored(landing, referrer, own):
    told = read_source(landing, referrer, own)
    for text in (*told.fields().values(), *(value for _, value in told.click_ids)):
        assert "\x00" not in text.encode("utf-8").decode("utf-8")
