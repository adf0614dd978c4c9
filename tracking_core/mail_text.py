"""What a letter says in plain text: the first text of it, without the letters it quotes."""

import re
from email.message import Message
from html import unescape

LONGEST = 4_000  # characters kept of a letter
_LONGEST_READ = 200_000  # characters of a text that are looked at
_MOST_PARTS = 100
_BREAKS = frozenset({"br", "p", "div", "tr", "li", "h1", "h2", "h3", "h4", "table", "blockquote"})
_SILENT = frozenset({"script", "style", "head", "title"})
_TAG = re.compile(r"(/?)([a-z][a-z0-9]*)", re.IGNORECASE)
# The line from which on a letter repeats earlier ones, as mail programs write it.
_QUOTED = re.compile(
    r"^(?:>.*"
    r"|-{2,} ?(?:original message|forwarded message|исходное сообщение|пересылаемое сообщение|пересланное).*"
    r"|on .{5,200} wrote:"
    r"|.{5,200}(?:пишет|писал|писала|написал|написала|написал\(а\)):)\s*$",
    re.IGNORECASE | re.MULTILINE,
)


def text_of(message: Message) -> str:
    """Return what a letter says, at most ``LONGEST`` characters: its plain text, or else its HTML as text."""
    html = ""
    for count, part in enumerate(message.walk()):
        if count >= _MOST_PARTS:
            break
        kind = part.get_content_type()
        if kind not in ("text/plain", "text/html") or "attachment" in str(part.get("Content-Disposition", "")).lower():
            continue
        text = _content(part)
        if kind == "text/plain" and text.strip():
            return _tidy(text)
        html = html or text
    return _tidy(_as_text(html))


def decoded(raw: bytes, charset: str | None) -> str:
    """Return bytes as text: by their charset, or what they most likely are when it is missing or wrong."""
    if charset and charset.lower() not in ("us-ascii", "utf-8", "unknown-8bit"):
        try:
            return raw.decode(charset, "replace")
        except (LookupError, ValueError):  # a charset nobody knows
            pass
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        # Cut in the middle of a letter is still UTF-8; anything else without a name is most often Cyrillic.
        cut = error.start >= len(raw) - 3
        return raw.decode("utf-8" if cut else "cp1251", "replace")


def _content(part: Message) -> str:
    try:
        raw = part.get_payload(decode=True)
        charset = part.get_content_charset()
    except (LookupError, ValueError, AttributeError, TypeError):  # a head that nobody can read
        return ""
    return decoded(raw, charset)[:_LONGEST_READ] if isinstance(raw, bytes) else ""


def _tidy(text: str) -> str:
    lines = (line.rstrip() for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n"))
    text = re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()
    quoted = _QUOTED.search(text)
    said = text[: quoted.start()].rstrip() if quoted else text
    return (said or text)[:LONGEST].rstrip()  # an answer below what it quotes is left whole


def _as_text(html: str) -> str:
    """Return what a reader of HTML sees, in one pass whatever the markup is worth."""
    before, *pieces = html.split("<")
    said, hidden = [before], ""  # hidden: the element, or comment, whose text nobody sees
    for piece in pieces:
        tag = _TAG.match(piece)
        name = f"{tag[1]}{tag[2]}".lower() if tag else ""
        rest = piece.partition("-->" if hidden == "!--" or piece.startswith("!--") else ">")
        if hidden:
            hidden = "" if (rest[1] if hidden == "!--" else name == f"/{hidden}") else hidden
        elif piece.startswith("!--"):
            hidden = "" if rest[1] else "!--"
        elif name in _SILENT:
            hidden = name
        elif not tag and not piece.startswith(("/", "!", "?")):  # a sign, not a tag
            rest = ("", "", f"<{piece}")
        if not hidden:
            said.append("\n" * (name.removeprefix("/") in _BREAKS) + re.sub(r"\s+", " ", rest[2]))
    return "\n".join(line.strip() for line in unescape("".join(said)).split("\n"))
