"""`batch`: up to 50 commands in one hit, in order, one referring to another (sheet section 2.5)."""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sandbox.bitrix24.answering import Reply, permitted, run, time_of
from sandbox.bitrix24.errors import Refusal
from sandbox.bitrix24.php import as_int, as_map, keyed
from sandbox.bitrix24.turn import Turn
from sandbox.brackets import parse_brackets, scalar_text

MOST_COMMANDS = 50
REFERENCE = re.compile(r"\$result((?:\[[^\]]*\])+)")
STEP = re.compile(r"\[([^\]]*)\]")
BATCH = "batch"


def run_batch(turn: Turn) -> Reply:
    """Runs every command; what fails stands in `result_error`, the reply itself is a success."""
    operating = turn.portal.operating
    charges = turn.portal.dial["operating_in_batch"] == "batch"
    if charges:
        operating.check(turn.caller, BATCH, turn.now)
    answers, errors, seconds = _run_all(turn, as_map(turn.get("cmd")), bool(as_int(turn.get("halt")) or 0))
    if charges:
        operating.charge(turn.caller, BATCH, seconds, turn.now)
    result = {
        "result": keyed({key: one.result for key, one in answers.items()}),
        "result_error": keyed(errors),
        "result_total": keyed({key: one.total for key, one in answers.items() if one.total is not None}),
        "result_next": keyed({key: one.next for key, one in answers.items() if one.next is not None}),
        "result_time": keyed({key: one.time for key, one in answers.items()}),
    }
    return Reply(result, time_of(turn, seconds))


def _run_all(turn: Turn, commands: Mapping[str, Any], halts: bool) -> tuple[dict[str, Reply], dict[str, Any], float]:
    answers: dict[str, Reply] = {}
    errors: dict[str, Any] = {}
    seconds = 0.0
    for index, (key, command) in enumerate(commands.items()):
        try:
            if index >= MOST_COMMANDS:
                raise Refusal(400, "ERROR_BATCH_LENGTH_EXCEEDED", "Max batch length exceeded")
            answers[key] = _run_one(turn, str(command), answers)
            seconds += answers[key].time["duration"]
        except Refusal as refusal:
            errors[key] = refusal.body()
            if halts:
                break
    return answers, errors, seconds


def _run_one(turn: Turn, command: str, answers: Mapping[str, Reply]) -> Reply:
    name, _, query = command.partition("?")
    method = name.strip().strip("/").lower().removesuffix(".json")
    params = _filled(dict(parse_brackets(query)), answers, turn.portal.dial["unresolved_reference"])
    nested = replace(turn, method=method, params=params)
    if method == BATCH or not permitted(nested).in_batch:
        raise Refusal(405, "ERROR_BATCH_METHOD_NOT_ALLOWED", "Method is not allowed for batch usage")
    return run(nested, is_nested=True)


def _filled(value: Any, answers: Mapping[str, Reply], unresolved: str) -> Any:
    """A value that is one reference takes what it names, whatever its type; inside a text it takes the scalar."""
    if isinstance(value, dict):
        return {key: _filled(inner, answers, unresolved) for key, inner in value.items()}
    whole = REFERENCE.fullmatch(value)
    if whole is not None:
        found = _resolved(whole.group(1), answers)
        return found if found is not None else _nothing(whole, unresolved)

    def told(match: re.Match[str]) -> str:
        found = _resolved(match.group(1), answers)
        return _nothing(match, unresolved) if found is None else scalar_text(found)

    return REFERENCE.sub(told, value)


def _nothing(match: re.Match[str], unresolved: str) -> str:
    return match.group(0) if unresolved == "literal" else ""


def _resolved(path: str, answers: Mapping[str, Reply]) -> Any:
    key, *steps = STEP.findall(path)
    here = answers[key].result if key in answers else None
    for step in steps:
        if isinstance(here, list):
            index = as_int(step)
            here = here[index] if index is not None and -1 < index < len(here) else None
        else:
            here = here.get(step) if isinstance(here, dict) else None
    return here
