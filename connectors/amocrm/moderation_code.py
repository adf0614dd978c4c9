"""Moderation of the script and the style sheet [8.6]. It reads them as text: what it cannot see, a person must."""

import re
from collections.abc import Iterator, Mapping

from connectors.packaging import Flaw

_TOKEN = re.compile(
    r"//[^\n]*|/\*.*?\*/"
    r"|'(?:\\.|[^'\\\n])*'|\"(?:\\.|[^\"\\\n])*\"|`(?:\\.|[^`\\])*`"
    r"|(?:(?<=[(,=:\[!&|?{};])|(?<=return))[ \t]*/(?![*/])(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n\[])+/[gimsuy]*",
    re.DOTALL,
)
_CLOSES = {"(": ")", "{": "}", "[": "]"}
_LOOP = re.compile(r"\b(?:for|while)\s*\(|\bdo\s*\{|\.(?:forEach|map|each|filter|reduce|some|every)\s*\(")
_CALLS = re.compile(r"\$authorizedAjax|\bcrm_post\b|\$\.(?:ajax|get|post|getJSON)\b|\bfetch\s*\(|XMLHttpRequest")
_CATCH = re.compile(r"\bcatch\s*(?:\([^)]*\)\s*)?\{|\.(?:catch|fail)\s*\(")
_BARE = (  # in code alone: neither in comments nor in quotes
    (r"\b(?:alert|confirm|prompt)\s*\(", "a window of the browser", "a sentence inside the widget"),
    (r"\beval\b|\bnew\s+Function\b", "code made of text", "code that stands in the file"),
    (r"\bdebugger\b", "a stop for debugging", "no debugging"),
    (r"\basync\s*:\s*(?:false|!1)\b", "a synchronous request", "asynchronous requests"),
    (r"\.open\s*\([^)]*,\s*false\b", "a synchronous request", "asynchronous requests"),
    (r"\bdocument\s*\.\s*write", "document.write", "elements of the widget's own root"),
    (r"\bgetScript\s*\(|\bimport\s*\(", "a script loaded by hand", "dependencies of define"),
    (r"\bdispatchEvent\s*\(|\.click\s*\(\s*\)", "a virtual click", "a person presses Install and Disable"),
    (r"\b(?:APP|AMOCRM)(?:\.\w+|\[[^\]\n]*\])+\s*=(?!=)", "a change of amoCRM's own data", "reading it"),
)
_QUOTED = (  # quotes count, comments do not
    (r"createElement\s*\(\s*['\"]script|\$\(\s*['\"]<script|<script\b", "a script element", "dependencies of define"),
    (r"\.trigger\s*\(\s*['\"]click", "a virtual click", "a person presses Install and Disable"),
    (r"\b(?:define|require)\s*\(\s*\[[^\]]*//", "a dependency of another host", "dependencies of the package"),
    (r"set(?:Timeout|Interval)\s*\(\s*['\"]", "code made of text", "a function"),
)
_ANYWHERE = ((r"\b(?:TODO|FIXME|XXX)\b|\blorem ipsum\b", "unfinished or test text", "what people shall see"),)


def code_flaws(texts: Mapping[str, str]) -> Iterator[Flaw]:
    """Yield every rule of the audit that a script of the package breaks."""
    for name, text in texts.items():
        if name.endswith(".js"):
            yield from _code(name, text)


def _code(name: str, text: str) -> Iterator[Flaw]:
    bare, quoted = _without(text, quotes=True), _without(text, quotes=False)
    for rules, seen in ((_BARE, bare), (_QUOTED, quoted), (_ANYWHERE, text)):
        for rule, what, allowed in rules:
            for found in re.finditer(rule, seen):
                yield Flaw(name, what, allowed, _line(text, found.start()))
    yield from _console(name, bare)
    yield from _loops(name, bare)


def _without(text: str, *, quotes: bool) -> str:
    """Return the code with comments, and if asked what is quoted, made blank; every character stays at its place."""

    def blank(found: re.Match[str]) -> str:
        token = found[0]
        if token.startswith(("//", "/*")) or quotes:
            return re.sub(r"[^\n]", " ", token)
        return token

    return _TOKEN.sub(blank, text)


def _console(name: str, bare: str) -> Iterator[Flaw]:
    catches = [_region(bare, found) for found in _CATCH.finditer(bare)]
    for found in re.finditer(r"\bconsole\s*\.\s*(\w+)", bare):
        caught = any(start <= found.start() < end for start, end in catches)
        if found[1] != "debug" and not (found[1] == "trace" and caught):
            yield Flaw(
                name, f"console.{found[1]}", "console.debug, and console.trace in catch", _line(bare, found.start())
            )


def _loops(name: str, bare: str) -> Iterator[Flaw]:
    told: set[int] = set()
    for loop in _LOOP.finditer(bare):
        start, end = _region(bare, loop)
        for call in _CALLS.finditer(bare, start, end):
            if call.start() not in told:
                told.add(call.start())
                yield Flaw(name, f"{call[0]} in a loop", "one request for all", _line(bare, call.start()))


def _region(bare: str, found: re.Match[str]) -> tuple[int, int]:
    """Return where what a head opens begins and ends: its brackets, and after for and while the body too."""
    end = _closing(bare, found.end() - 1)
    if bare[found.start()] in "fw" and found[0].endswith("("):
        body = re.compile(r"\s*").match(bare, end)
        start = body.end() if body else end
        end = _closing(bare, start) if bare[start : start + 1] == "{" else bare.find(";", start) + 1 or len(bare)
    return found.start(), end


def _closing(bare: str, at: int) -> int:
    """Return the place after the bracket that closes the one at a place, or the end where none does."""
    opener, depth = bare[at], 0
    for place in range(at, len(bare)):
        depth += (bare[place] == opener) - (bare[place] == _CLOSES[opener])
        if not depth:
            return place + 1
    return len(bare)


def _line(text: str, place: int) -> int:
    return text[:place].count("\n") + 1


# -- style sheet


def style_flaws(texts: Mapping[str, str]) -> Iterator[Flaw]:
    """Yield every selector of the style sheet that reaches outside the widget's own root."""
    for name, text in texts.items():
        if name.endswith(".css"):
            yield from _style(name, _blank_comments(text))


def _blank_comments(text: str) -> str:
    return re.sub(r"/\*.*?\*/", lambda found: re.sub(r"[^\n]", " ", found[0]), text, flags=re.DOTALL)


def _style(name: str, text: str) -> Iterator[Flaw]:
    for found in re.finditer(r"@import\b", text):
        yield Flaw(name, "@import", "one style sheet", _line(text, found.start()))
    for found in re.finditer(r"url\(\s*['\"]?(?:https?:)?//", text):
        yield Flaw(name, "a picture or font of another host", "files of the package", _line(text, found.start()))
    for found in re.finditer(r"position\s*:\s*fixed", text):
        yield Flaw(name, "position: fixed, which may cover amoCRM's own controls", "static, relative, absolute",
                   _line(text, found.start()))  # fmt: skip
    root = ""
    for selector, place in _selectors(text):
        first = re.match(r"\.[A-Za-z_][\w-]*", selector)
        root = root or (first[0] if first else "")
        if not first or first[0] != root:
            allowed = f"selectors that begin with {root or 'a class of your own'}"
            yield Flaw(name, f"the selector {selector}", allowed, _line(text, place))


def _selectors(text: str) -> Iterator[tuple[str, int]]:
    """Yield each selector with its place; what stands in @media and its like is looked through, @keyframes is not."""
    place = 0
    for found in re.finditer(r"([^{};]*)([{};])", text):
        head = found[1].strip()
        if found.start() < place or found[2] != "{" or not head:
            continue
        if head.startswith("@"):
            if re.match(r"@(?:-\w+-)?keyframes|@font-face", head):
                place = _closing(text, found.end() - 1)
            continue
        start = found.start() + len(found[1]) - len(found[1].lstrip())
        for selector in head.split(","):
            yield selector.strip(), start
