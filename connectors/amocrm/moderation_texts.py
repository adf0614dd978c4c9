"""Moderation of texts and addresses: keys, languages, brand, links [8.2, 8.6]."""

import ipaddress
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from connectors.amocrm.moderation_manifest import FILE, Declared
from connectors.packaging import Flaw

Texts = Mapping[str, str]  # a dotted key -> the text
LONGEST_NAME = 255
LONGEST_DESCRIPTION = 65_000
_BRAND = re.compile(r"amo|kommo|амо", re.IGNORECASE)
_SPELLINGS = re.compile(r"(?<![\w@./-])(?:amo|амо)[\s_-]?(?:crm|срм|црм)\b(?!\.\w)", re.IGNORECASE)
_CYRILLIC = re.compile(r"[а-яё]", re.IGNORECASE)
_ADDRESS = re.compile(r"\b(?:https?|wss?)://[^\s'\"<>\\)]*")
_RUSSIAN_DOMAIN = re.compile(r"[\w-]+\.(?:ru|su)\b|\.рф\b|xn--p1ai\b", re.IGNORECASE)
_PRIVACY = re.compile(r"privacy|конфиденциальн|персональн|confidential|policy|privacidad|privacidade", re.IGNORECASE)
_VENDOR_SUPPORT = re.compile(r"support@(?:amocrm|kommo)|(?:amocrm|kommo)\.\w+/(?:support|help)", re.IGNORECASE)
_LOCAL = (".local", ".localhost", ".test", ".invalid", ".internal", ".lan", ".home")


def text_flaws(declared: Declared, texts: Mapping[str, str]) -> Iterator[Flaw]:
    """Yield what is wrong with the languages of a package and the keys of its manifest."""
    read: dict[str, Texts] = {}
    for code in declared.locales:
        name = f"i18n/{code}.json"
        if name not in texts:
            continue  # told as a missing file
        found = _read(name, texts[name])
        if isinstance(found, Flaw):
            yield found
        else:
            read[name] = found
    for name, known in read.items():
        yield from _keys(declared, name, known, read)
        yield from _sentences(name, known, texts[name])
        yield from _listing(declared, name, known, texts[name])


def _read(name: str, text: str) -> Texts | Flaw:
    try:
        told = json.loads(text)
    except json.JSONDecodeError as error:
        return Flaw(name, f"this is not JSON: {error.msg}", "a JSON object", error.lineno)
    return dict(_flat(told)) if isinstance(told, dict) else Flaw(name, "this is no JSON object", "a JSON object", 1)


def _flat(told: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, str]]:
    for key, value in told.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{before}{key}.")
        else:
            yield f"{before}{key}", value if isinstance(value, str) else ""


def _keys(declared: Declared, name: str, known: Texts, read: Mapping[str, Texts]) -> Iterator[Flaw]:
    for where, key in _named(declared):
        if not isinstance(key, str) or key not in known:
            yield Flaw(
                FILE, f"{where} is {json.dumps(key, ensure_ascii=False)}", f"a key of {name}", _line(declared, key)
            )
    everywhere = {key for one in read.values() for key in one}
    for key in sorted(everywhere - known.keys()):
        yield Flaw(name, f"the text {key} is missing", "every text in every language")


def _named(declared: Declared) -> Iterator[tuple[str, object]]:
    """Yield every place of the manifest that must hold the key of a text."""
    for key in ("name", "description", "short_description"):
        if key in declared.block("widget"):
            yield f"widget.{key}", declared.block("widget")[key]
    for block in (("settings",), ("dp", "settings")):
        for key, field in declared.block(*block).items():
            yield f"{'.'.join(block)}.{key}.name", field.get("name") if isinstance(field, Mapping) else None
    for block_name, key in (
        ("dp", "title"),
        ("advanced", "title"),
        ("tour", "tour_description"),
        ("left_menu", "title"),
    ):
        if block_name in declared.manifest:
            yield f"{block_name}.{key}", declared.block(block_name).get(key)


def _line(declared: Declared, key: object) -> int | None:
    return declared.line("", key) if isinstance(key, str) else None


def _sentences(name: str, known: Texts, text: str) -> Iterator[Flaw]:
    english = not name.endswith("/ru.json")
    for key, sentence in known.items():
        line = _line_of(text, key)
        if not sentence.strip():
            yield Flaw(name, f"{key} says nothing", "a text", line)
        for spelling in _SPELLINGS.findall(sentence):
            if spelling != "amoCRM":
                yield Flaw(name, f"{key} spells {spelling}", "amoCRM", line)
        if english and _CYRILLIC.search(sentence):
            yield Flaw(name, f"{key} has Russian letters", "the language of the file", line)
        if english and (domain := _RUSSIAN_DOMAIN.search(sentence)):
            yield Flaw(name, f"{key} names {domain[0]}", "no Russian domains in this language", line)
        if _VENDOR_SUPPORT.search(sentence):
            yield Flaw(name, f"{key} sends people to amoCRM's support", "support contacts of your own", line)


def _listing(declared: Declared, name: str, known: Texts, text: str) -> Iterator[Flaw]:
    widget = declared.block("widget")
    title_key, description_key = str(widget.get("name")), str(widget.get("description"))
    title, description = known.get(title_key, ""), known.get(description_key, "")
    if _BRAND.search(title):
        yield Flaw(name, f"the name is {title}", "a name without amoCRM's brand", _line_of(text, title_key))
    if len(title) > LONGEST_NAME:
        yield Flaw(name, f"the name has {len(title)} characters", f"at most {LONGEST_NAME}", _line_of(text, title_key))
    line = _line_of(text, description_key)
    if len(description) > LONGEST_DESCRIPTION:
        yield Flaw(name, f"the description has {len(description)} characters", f"at most {LONGEST_DESCRIPTION}", line)
    if description and not _links_privacy(description):
        yield Flaw(name, "the description has no link to a privacy policy", "a link that begins with https://", line)


def _links_privacy(description: str) -> bool:
    links = re.findall(r"<a\b[^>]*href=\"https://[^\"]+\"[^>]*>.*?</a>", description)
    return any(_PRIVACY.search(link) for link in links)


def _line_of(text: str, key: str) -> int | None:
    found = re.search(rf'"{re.escape(key.rsplit(".", 1)[-1])}"\s*:', text)
    nested = re.search(rf'"{re.escape(key.split(".")[0])}"\s*:\s*\{{', text)
    if nested and "." in key:
        found = re.compile(rf'"{re.escape(key.rsplit(".", 1)[-1])}"\s*:').search(text, nested.end()) or found
    return text[: found.start()].count("\n") + 1 if found else None


def address_flaws(declared: Declared, texts: Mapping[str, str]) -> Iterator[Flaw]:
    """Yield every address that nobody outside could open, or not safely."""
    for name, text in texts.items():
        for found in _ADDRESS.finditer(text):
            wrong = _wrong_with(found[0])
            if wrong:
                yield Flaw(name, f"{found[0]} {wrong[0]}", wrong[1], text[: found.start()].count("\n") + 1)
    link = str(declared.block("widget", "support").get("link", ""))
    if set(declared.locales) - {"ru"} and (domain := _RUSSIAN_DOMAIN.search(urlsplit(link).hostname or "")):
        allowed = "no Russian domain beside other languages than Russian"
        yield declared.flaw("support.link", f"names {domain[0]}", allowed)


def _wrong_with(address: str) -> tuple[str, str] | None:
    parts = urlsplit(address)
    host = parts.hostname or ""
    if parts.scheme in ("http", "ws"):
        return "is not encrypted", "addresses that begin with https://"
    if is_inner(host):
        return "is not an address of the open internet", "the host name of your hub, as in hub.example.com"
    if not host.isascii() or "xn--" in host:
        return "has a national host name", "a host name of Latin letters"
    return None


def is_inner(host: str) -> bool:
    """Say whether a host is not one of the open internet by its name."""
    return host == "localhost" or host.endswith(_LOCAL) or "." not in host or _is_number(host)


def _is_number(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
