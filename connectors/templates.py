"""Text templates of a scenario: Jinja's sandbox with single braces and next to nothing allowed in them.

``{caller}`` is a placeholder; ``{campaign or "none"}``, ``{caller | upper}`` and ``{% if talk %}...{% endif %}`` may be
written, too; ``{{`` and ``}}`` are braces. There are no loops, calls, attributes, sums or names of one's own. A line
whose placeholders are all unknown for an enquiry is left out, so that a note does not say "Campaign:" and nothing.
"""

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache

from jinja2 import Template, TemplateSyntaxError, Undefined, nodes
from jinja2.exceptions import TemplateRuntimeError
from jinja2.sandbox import ImmutableSandboxedEnvironment

TEMPLATE_CAP = 40_000  # characters
TEXT_CAP = 50_000  # of a filled template
FILTERS = ("upper", "lower", "capitalize", "title", "trim", "default", "truncate")
_ALLOWED = (
    *(nodes.Template, nodes.Output, nodes.TemplateData, nodes.Name, nodes.Const, nodes.If, nodes.CondExpr),
    *(nodes.And, nodes.Or, nodes.Not, nodes.Compare, nodes.Operand, nodes.Filter),
)
_TOKEN = re.compile(r"\{%.*?%\}|\{#.*?#\}|\{\{|\}\}|\{[^{}\n]*\}|[{}]", re.DOTALL)
_LONE = re.compile(r"[\x00\ud800-\udfff]")
# What stands in a text until its lines were looked at; values have no control characters.
_OPENING, _CLOSING, _KNOWN, _UNKNOWN = "\x01", "\x02", "\x03", "\x04"


def faults(text: str, placeholders: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """Yield what is wrong with a template: a phrase, and the placeholder that it is about, if any."""
    if len(text) > TEMPLATE_CAP:
        yield f"longer than {TEMPLATE_CAP} characters", ""
        return
    lone = [token.group() for token in _TOKEN.finditer(text) if token.group() in ("{", "}")]
    yield from ((f"a lone {brace}: write {brace * 2} for a brace", "") for brace in lone)
    if lone:
        return
    try:
        tree = _ENVIRONMENT.parse(_escaped(text))
    except TemplateSyntaxError as error:
        yield f"not readable: {_plain(error.message or '')}", ""
        return
    for node in tree.find_all(nodes.Node):
        if not isinstance(node, _ALLOWED):
            yield f"{type(node).__name__.lower()} is not allowed in braces", ""
        elif isinstance(node, nodes.Filter) and node.name not in FILTERS:
            yield f"the filter {node.name} is not allowed; allowed: {', '.join(FILTERS)}", ""
        elif isinstance(node, nodes.Name) and node.name not in placeholders:
            yield f"unknown placeholder {{{node.name}}}", node.name


def fill(text: str, values: Mapping[str, str]) -> str:
    """Return a template with its placeholders filled; values are never read as templates again."""
    if "{" not in text and "}" not in text:
        return _LONE.sub("", text).strip()
    try:
        made = _compiled(text).render(values)
    except (TemplateRuntimeError, TypeError, ValueError):  # a filter that got what it cannot take
        return ""
    lines = (_unmarked(line) for line in made[:TEXT_CAP].split("\n") if _KNOWN in line or _UNKNOWN not in line)
    return _LONE.sub("", "\n".join(lines)).strip()


def _unmarked(line: str) -> str:
    return line.translate(_MARKS).rstrip()


_MARKS = str.maketrans({_OPENING: "{", _CLOSING: "}", _KNOWN: "", _UNKNOWN: ""})


def _marked(value: object) -> str:
    """Tell a placeholder that is filled from one that is not, until the lines were looked at."""
    return f"{_KNOWN}{value}" if value and not isinstance(value, Undefined) else _UNKNOWN


_ENVIRONMENT = ImmutableSandboxedEnvironment(
    variable_start_string="{",
    variable_end_string="}",
    finalize=_marked,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=False,
    autoescape=False,
)
_ENVIRONMENT.filters = {name: _ENVIRONMENT.filters[name] for name in FILTERS}
_ENVIRONMENT.globals.clear()


@lru_cache(maxsize=2_000)
def _compiled(text: str) -> Template:
    return _ENVIRONMENT.from_string(_escaped(text))


def _escaped(text: str) -> str:
    """Return a template in which doubled braces stand for themselves."""
    return _TOKEN.sub(lambda token: {"{{": _OPENING, "}}": _CLOSING}.get(token.group(), token.group()), text)


def _plain(message: str) -> str:
    return message.replace(_OPENING, "{{").replace(_CLOSING, "}}")
