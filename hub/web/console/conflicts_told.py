"""What was found of others that make deals of our enquiries, as sentences: for the console and the command line."""

from collections.abc import Iterator

from connectors.changes import ROBOT
from hub.conflict_rule import LEAST_OF_ROBOTS, MOST_OF, QUIET, Judged, Verdict
from hub.conflicts import Conflicts
from hub.web.console.formats import NOTHING, Formats
from tracking_core.enquiry import EnquiryKind


def conflict_lines(f: Formats, found: Conflicts) -> list[str]:
    """Return a sentence or some for each kind of enquiry that another program makes cards of; none where none does."""
    return [" ".join(_of_kind(f, found, kind, judged)) for kind, judged in found.said.items()]


def _of_kind(f: Formats, found: Conflicts, kind: EnquiryKind, judged: Judged) -> Iterator[str]:
    t = f.words
    day = f.day(f.local(judged.first_at).date()) if judged.first_at else NOTHING
    told = {"of": f.number(judged.enquiries), "day": day}
    if kind is EnquiryKind.CALL:
        yield t.count("conflicts.said.call", judged.doubled, **told)
    else:
        yield t.count("conflicts.said.other", judged.doubled, kind=t.of("enquiry_kind", kind), **told)
    if judged.steady >= MOST_OF * judged.doubled:
        side = "before" if judged.median_s < 0 else "after"
        yield t(f"conflicts.{side}.{judged.since}", gap=f.duration(abs(judged.median_s)))
    if judged.robots >= max(LEAST_OF_ROBOTS, MOST_OF * judged.doubled):
        yield t("conflicts.robots")
    elif judged.author:
        yield t("conflicts.author", name=who(f, found, judged.author))


def verdict(f: Formats, judged: Judged) -> str:
    """Return what is said of a kind of enquiries that no other program makes cards of now."""
    t, of = f.words, f.number(judged.enquiries)
    if judged.verdict is Verdict.OVER and judged.last_at:
        return t("conflicts.over", day=f.day(f.local(judged.last_at).date()), quiet=QUIET)
    if judged.verdict is Verdict.BY_HAND:
        return t("conflicts.by_hand", n=f.number(judged.doubled), of=of)
    return t("conflicts.nothing", of=of) if judged.verdict is Verdict.NOTHING else ""


def who(f: Formats, found: Conflicts, user: str | None) -> str:
    """Return a user of the account by name, or by id where the account does not name him."""
    if user == ROBOT:
        return f.words("conflicts.robot")
    return str(found.of.facts.get("users", {}).get(user, user)) if user else NOTHING


def gap(f: Formats, seconds: float) -> str:
    """Return how long after something a card was made; with a minus where it was made before."""
    told = f.duration(abs(round(seconds)))
    return f"\u2212{told}" if round(seconds) < 0 else told
