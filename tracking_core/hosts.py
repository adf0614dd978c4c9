"""Which host is what: search, social, messenger, mail, AI, ads, payment (DNI sheet, sections 6.5 and 7)."""

import re
from enum import StrEnum
from functools import lru_cache
from urllib.parse import urlsplit


class HostKind(StrEnum):
    """What a referring host tells of a visit."""

    ADS = "ads"
    SEARCH = "search"
    SOCIAL = "social"
    MESSENGER = "messenger"
    EMAIL = "email"
    AI = "ai"
    PAYMENT = "payment"  # a payment gateway sends the visitor back in the middle of a visit
    OTHER = "other"
    NOBODY = "nobody"  # no outside host at all


_LONGEST_ORIGIN = 300  # characters; a host is at most 253
_TLD = r"(?:[a-z]{2,4}|(?:co|com)\.[a-z]{2})"
# Only the front door of a portal is its search: mail.yandex.ru and docs.google.com are not.
_BY_PATTERN: tuple[tuple[re.Pattern[str], HostKind, str], ...] = tuple(
    (re.compile(pattern), kind, name)
    for pattern, kind, name in (
        (rf"(?:.+\.)?yabs\.yandex\.{_TLD}", HostKind.ADS, "yandex"),
        (r"(?:.+\.)?(?:googleadservices|googlesyndication)\.com", HostKind.ADS, "google"),
        (rf"mail\.yandex\.{_TLD}", HostKind.EMAIL, "yandex"),
        (rf"(?:m\.|images\.|search\.)?google\.{_TLD}", HostKind.SEARCH, "google"),
        (rf"(?:m\.|images\.|search\.)?yandex\.{_TLD}", HostKind.SEARCH, "yandex"),
        (r"(?:.+\.)?search\.yahoo\.com", HostKind.SEARCH, "yahoo"),
        (rf"(?:.+\.)?pinterest\.{_TLD}", HostKind.SOCIAL, "pinterest"),
        (r"(?:.+\.)?oplata\..+", HostKind.PAYMENT, "oplata"),
        (r"(?:.+\.)?yookassa\..+", HostKind.PAYMENT, "yookassa"),
    )
)
_BY_SUFFIX: dict[str, tuple[HostKind, str]] = {
    host: (kind, name)
    for kind, name, hosts in (
        (HostKind.SEARCH, "yandex", "ya.ru"),
        (HostKind.SEARCH, "bing", "bing.com"),
        (HostKind.SEARCH, "duckduckgo", "duckduckgo.com"),
        (HostKind.SEARCH, "mail.ru", "go.mail.ru"),
        (HostKind.SEARCH, "rambler", "nova.rambler.ru"),
        (HostKind.SEARCH, "baidu", "baidu.com"),
        (HostKind.SEARCH, "ecosia", "ecosia.org"),
        (HostKind.SEARCH, "brave", "search.brave.com"),
        (HostKind.SEARCH, "startpage", "startpage.com"),
        (HostKind.SEARCH, "qwant", "qwant.com"),
        (HostKind.SEARCH, "naver", "naver.com"),
        (HostKind.SEARCH, "seznam", "seznam.cz"),
        (HostKind.SEARCH, "sputnik", "sputnik.ru"),
        (HostKind.SOCIAL, "vk", "vk.com vkontakte.ru"),
        (HostKind.SOCIAL, "ok", "ok.ru odnoklassniki.ru"),
        (HostKind.SOCIAL, "my.mail.ru", "my.mail.ru"),
        (HostKind.SOCIAL, "facebook", "facebook.com fb.me"),
        (HostKind.SOCIAL, "instagram", "instagram.com"),
        (HostKind.SOCIAL, "twitter", "t.co twitter.com x.com"),
        (HostKind.SOCIAL, "linkedin", "linkedin.com lnkd.in"),
        (HostKind.SOCIAL, "tiktok", "tiktok.com"),
        (HostKind.SOCIAL, "youtube", "youtube.com"),
        (HostKind.SOCIAL, "dzen", "dzen.ru"),
        (HostKind.SOCIAL, "rutube", "rutube.ru"),
        (HostKind.SOCIAL, "reddit", "reddit.com"),
        (HostKind.MESSENGER, "telegram", "t.me web.telegram.org org.telegram.messenger"),
        (HostKind.MESSENGER, "whatsapp", "wa.me api.whatsapp.com"),
        (HostKind.MESSENGER, "viber", "viber.com"),
        (HostKind.EMAIL, "mail.ru", "e.mail.ru"),
        (HostKind.EMAIL, "gmail", "mail.google.com"),
        (HostKind.EMAIL, "outlook", "outlook.live.com"),
        (HostKind.AI, "chatgpt", "chatgpt.com chat.openai.com"),
        (HostKind.AI, "gemini", "gemini.google.com"),
        (HostKind.AI, "deepseek", "chat.deepseek.com"),
        (HostKind.AI, "perplexity", "perplexity.ai"),
        (HostKind.AI, "copilot", "copilot.microsoft.com"),
        (HostKind.AI, "claude", "claude.ai"),
        (HostKind.PAYMENT, "sberbank", "securepayments.sberbank.ru"),
    )
    for host in hosts.split()
}


@lru_cache(maxsize=8192)
def what_is(host: str) -> tuple[HostKind, str]:
    """Returns the kind of a host and the name reports show; one nobody listed is OTHER under its own name."""
    if not host:
        return HostKind.NOBODY, ""
    for pattern, kind, name in _BY_PATTERN:
        if pattern.fullmatch(host):
            return kind, name
    rest = host
    while rest:
        if rest in _BY_SUFFIX:
            return _BY_SUFFIX[rest]
        rest = rest.partition(".")[2]
    return HostKind.OTHER, host


def host_of(url: str) -> str:
    """Returns the host of an address in our spelling, the package of an ``android-app:`` one; "" if none."""
    return _host_of(url[:_LONGEST_ORIGIN])


def plain_host(host: str) -> str:
    """Returns a host in the one spelling we compare: ASCII (IDNA), lower case, no ``www.``, no last dot."""
    return _plain_host(host[:_LONGEST_ORIGIN])


@lru_cache(maxsize=8192)
def _host_of(url: str) -> str:
    try:
        host = urlsplit(url.strip()).hostname or ""
    except ValueError:
        return ""
    return plain_host(host)


@lru_cache(maxsize=8192)
def _plain_host(host: str) -> str:
    plain = host.strip().lower().rstrip(".").removeprefix("www.")
    if plain.isascii():
        return plain if plain.isprintable() else ""
    try:
        return plain.encode("idna").decode("ascii")
    except UnicodeError:
        return ""
