"""Bodies of requests and answers as a person reads them: a member a line, also where they are cut."""

import re
from collections.abc import Iterator

_PART = re.compile(r'"(?:[^"\\]|\\.)*+"?|[{}\[\],:]|[^{}\[\],:"]+', re.DOTALL)
_FORM = re.compile(r"[^\s=&]+=[^&]*(?:&[^\s=&]+=[^&]*)+")
_DEEPEST = 20  # a text of brackets alone must not become a long one


def readable(body: str) -> str:
    """Return JSON indented, a form with a field a line, anything else as it is."""
    if body.lstrip()[:1] in ("{", "["):
        return "".join(_indented(body)).strip()
    return body.replace("&", "\n&") if _FORM.fullmatch(body) else body


def _indented(json: str) -> Iterator[str]:
    depth, after = 0, ""
    for part in _PART.findall(json):
        if part in ("}", "]"):
            depth -= 1
            yield part if after in ("{", "[") else _line(depth) + part
        elif not part.isspace():
            yield (_line(depth) if after in ("{", "[", ",") else "") + (": " if part == ":" else part.strip())
        depth += part in ("{", "[")
        after = after if part.isspace() else part


def _line(depth: int) -> str:
    return "\n" + "  " * max(0, min(depth, _DEEPEST))
