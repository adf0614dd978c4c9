r"""Takes out of a text what no log may hold: tokens and secrets, phones, e-mails, names of people.

It works on any cut of JSON, of a form or of an address: nothing is parsed, what stands before a value says what it is.
What is escaped (``\u0418``, ``%D0%98``) is unescaped first, but for what holds a text together: it reads better, too.
Every expression is linear: a text of an ill will costs no more than another one.
"""

import re
from collections.abc import Iterable

HIDDEN = "***"

# The ends of keys, in any case. Too much is hidden rather than too little: the name of a pipeline is, too.
_SECRET = (
    "token", "secret", "password", "passwd", "signature", "sign", "authorization", "auth", "auth_id", "refresh_id",
    "sid", "session", "cookie", "apikey", "api_key", "private_key", "jwt", "salt",
)  # fmt: skip
_NAME = ("name", "fio", "patronymic")
_PHONE = ("phone", "mobile", "fax")  # also one that is too short to be known by itself
_CODE = ("code", "state")  # of an authorisation, or a word that says what went wrong

_ESCAPED = re.compile(r"(?<!\\)(?:\\u(?!00[01]|0022|005[cC]|[dD][89a-fA-F])[0-9a-fA-F]{4})++")
_PERCENT = re.compile(r"(?:%(?!22|26|5[cC]|7[fF]|[01])[0-9a-fA-F]{2})++")
_DEEP = 2  # a command of a batch is escaped once more than what carries it

_BEARER = re.compile(r"(?i)\bbearer\s+[^\s\"',\\]+")
_JWT = re.compile(r"eyJ[\w-]++\.[\w-]++(?:\.[\w-]*)?")
_WEBHOOK = re.compile(r"(/rest\\?/\d+\\?/)[^/?#\s\"\\]+")
_STEP = re.compile(r"/[A-Za-z0-9_~=-]{16,}+(?![.:@])")  # of a path
_OPAQUE = re.compile(r"[A-Za-z0-9_-]{24,}+")
_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_MAILBOX = re.compile(r"[^\s\"'<>()\[\]{}@,;:=&?/\\]{1,64}+$")
_DOMAIN = re.compile(r"[\w-]{1,64}+(?:\.[\w-]{1,64}+)+")
_GAP = r"[\s().+\u2010-\u2015-]"
# Whatever may be a number with its gaps; what it is, is judged next: most of a text is none.
_STRETCH = re.compile(rf"[0-9](?:[0-9]|{_GAP}){{6,}}+")
_NUMBER = re.compile(
    rf"""(?x) (?<!\d) (?:
        (?P<moment> (?:19|20)\d\d-[01]\d-[0-3]\d (?![\d-])
            | [0-3]\d\.[01]\d\.(?:19|20)\d\d (?![\d.-])
            | (?<!\+)1\d{{9}}(?:\d{{3}}|\.\d{{1,6}})? (?![\d(]|[\s.+-]\d)  # seconds or thousandths since 1970
            | \d{{1,9}}\.\d{{1,4}} (?![\d.(]|[\s+-]\d) )
        | \+\(?\d(?:{_GAP}{{0,3}}\d){{6,14}} (?!\d)
        | \d(?:{_GAP}{{0,3}}\d){{9,14}} (?!\d) )"""
)
_HASH = re.compile(rf"[0-9a-f]{{24,}}|{_UUID.pattern}")
_HEX = tuple("abcdefABCDEF-")
_WORD = re.compile(r"[A-Za-z_ .]{1,40}|\d{1,6}")


def _after(keys: Iterable[str], closed: Iterable[str]) -> str:
    return "|".join(f"(?<={re.escape(key + end)})" for key in keys for end in closed)


def _keyed(begin: str, closed: tuple[str, ...], value: str) -> re.Pattern[str]:
    """Return an expression for values whose keys tell what they are; ``begin`` ends a key and is looked for first."""
    kinds = (("code", _CODE), ("phone", _PHONE), ("name", _NAME), ("secret", _SECRET))
    kind = "|".join(f"(?P<{name}>{_after(keys, closed)})" for name, keys in kinds)
    return re.compile(f"(?i){begin}(?:{kind})(?P<between>{value}")


_JSON_VALUE = r'\s*:\s*)(?P<value>"(?:[^"\\]|\\[\s\S])*+(?:"|\\?$)|\\+"[^"]*+"?|\[[^\[\]{}]++\]?|[^\s"\[\]{},\\]++)'
_OF_JSON = _keyed(r'"(?=\s*:)', ('"',), _JSON_VALUE)
_OF_JSON_IN_JSON = _keyed(r'"(?=\s*:)', ('\\"',), _JSON_VALUE)
_OF_FORM = _keyed("=", ("=", "]="), r')(?P<value>[^&"\\\n<>]++)')


def masked(text: str) -> str:
    """Return a text without tokens, secrets, phones, e-mails and names of people, otherwise as it was."""
    text = _unescaped(text)
    text = _OF_JSON.sub(_hide_value, _OF_FORM.sub(_hide_value, text))
    if '\\"' in text:
        text = _OF_JSON_IN_JSON.sub(_hide_value, text)
    if "earer" in text or "EARER" in text:
        text = _BEARER.sub(f"Bearer {HIDDEN}", text)
    text = _STEP.sub(_hide_step, _WEBHOOK.sub(rf"\1{HIDDEN}", _JWT.sub(HIDDEN, text)))
    return _STRETCH.sub(_hide_numbers, _without_mail(_OPAQUE.sub(_hide_opaque, text)))


def _but_two(text: str) -> str:
    """Return a phone with its digits hidden but for the last two."""
    digits = [at for at, one in enumerate(text) if one.isdecimal()]
    kept = digits[-2] if len(digits) > 2 else 0
    return re.sub(r"\d", "*", text[:kept]) + text[kept:]


def _unescaped(text: str) -> str:
    if "\\u" in text:
        text = _ESCAPED.sub(_letters, text)
    for _ in range(_DEEP):
        if "%" in text:
            text = _PERCENT.sub(_bytes, text)
    return text


def _letters(found: re.Match[str]) -> str:
    return bytes.fromhex(found.group().replace("\\u", "")).decode("utf-16-be")


def _bytes(found: re.Match[str]) -> str:
    return bytes.fromhex(found.group().replace("%", "")).decode("utf-8", "replace")


def _hide_value(found: re.Match[str]) -> str:
    value, before = found["value"], found.group()[: found.start("value") - found.start()]
    bare = value.strip('\\"')
    if not bare or bare in ("null", "true", "false") or (found["code"] is not None and _WORD.fullmatch(bare)):
        return found.group()
    if found["phone"] is not None:
        return before + _but_two(value)
    quote = value[: len(value) - len(value.lstrip('\\"'))] if value[0] in '\\"' else ""
    return f"{before}{quote}{HIDDEN}{quote}"


def _hide_step(found: re.Match[str]) -> str:
    """Hide a step of a path that nobody thought of as a word: addresses of hooks and recordings are secrets."""
    return f"/{HIDDEN}" if re.search("[0-9A-Z]", found.group()) else found.group()


def _hide_opaque(found: re.Match[str]) -> str:
    """Hide a long run that looks made by chance, whatever stands before it; our own marker is a hash, and stays."""
    run = found.group()
    if run.isalpha() or not any(one.isdigit() for one in run) or _UUID.fullmatch(run):
        return run
    is_mixed = not run.islower() and not run.isupper()
    return HIDDEN if len(run) >= 40 or is_mixed else run


def _without_mail(text: str) -> str:
    """Hide e-mails, found by their sign: to look for what may stand before one at every letter takes long."""
    before, *others = text.split("@")
    told = [before]
    for one in others:
        domain = _DOMAIN.match(one)
        if domain and _MAILBOX.search(told[-1], max(0, len(told[-1]) - 64)):
            told[-1] = _MAILBOX.sub(HIDDEN, told[-1])
            one = HIDDEN + one[domain.end() :]
        told.append(one)
    return "@".join(told)


def _hide_numbers(found: re.Match[str]) -> str:
    """Hide the phones in a stretch of digits, which a plus may stand before; days, moments and hashes are none."""
    text, start = found.string, found.start()
    if _is_in_hash(found):
        return found.group()
    plus = "+" if text[max(0, start - 2) : start].startswith("+") or text[start - 1 : start] == "+" else ""
    return _NUMBER.sub(_hide_number, plus + found.group())[len(plus) :]


def _hide_number(found: re.Match[str]) -> str:
    return found.group() if found["moment"] is not None else _but_two(found.group())


def _is_in_hash(found: re.Match[str]) -> bool:
    """Say whether digits are a part of a hash, such as our own marker on a deal."""
    text, start, end = found.string, found.start(), found.end()
    if text[start - 1 : start] not in _HEX and text[end : end + 1] not in _HEX:
        return False
    before = max(0, start - 36)
    return any(one.start() <= start - before < one.end() for one in _HASH.finditer(text[before : end + 36]))
