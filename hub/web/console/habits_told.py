"""How the visitors of a site call, in sentences: what its calls have taught, and whether the general figures hold."""

from collections.abc import Iterator
from datetime import datetime

from hub.store.site_habits import Learned
from hub.web.console.formats import Formats
from tracking_core.habits import PRESENT, SHEET_HABITS, Delays
from tracking_core.learn import FEWEST

_NEAR = 0.05  # of all calls: general figures that are off by less still hold
_LONG = 90  # minutes from which hours are told
_HELD = 10.0  # minutes after which a call is called late


def told(f: Formats, learned: Learned | None, now: datetime) -> Iterator[str]:
    """Yield what was learned of a site, shortest first; what is in use while nothing was."""
    if learned is None:
        yield f.words("habits.unread")
        return
    if not learned.is_own:
        yield f.words.count("habits.few", learned.from_calls, least=FEWEST)
        return
    delays = learned.habits.delays
    yield f.words(
        "habits.when", present=f.percent(delays.at_page), half=_after(f, delays, 0.5), most=_after(f, delays, 0.9)
    )
    yield f.words.count("habits.learned", learned.from_calls, when=f.when(learned.learned_at, now))
    yield _beside_general(f, delays)
    yield from _signs(f, learned)


def _after(f: Formats, delays: Delays, share: float) -> str:
    """Say in what time that share of those who call later have called."""
    minutes = delays.within(delays.at_page + (1 - delays.at_page) * share)
    return (
        f.words("habits.hours", n=f.number(minutes / 60))
        if minutes > _LONG
        else f.words("habits.minutes", n=f.number(minutes))
    )


def _beside_general(f: Formats, own: Delays) -> str:
    general = SHEET_HABITS.delays
    gap = max(abs(own.survival(at) - general.survival(at)) for at in (PRESENT, _HELD, 6 * _HELD))
    figures = {
        name: f.percent(share) for name, share in (("present", general.at_page), ("late", general.survival(_HELD)))
    }
    key = "habits.hold" if gap < _NEAR else "habits.differ"
    return f.words(key, **figures, own_late=f.percent(own.survival(_HELD)), hold=f.number(_HELD))


def _signs(f: Formats, learned: Learned) -> Iterator[str]:
    habits = learned.habits
    if habits.regions:
        yield f.words("habits.regions", known=f.percent(habits.region_known), differs=f.percent(habits.region_differs))
    if habits.tap_share >= _NEAR:
        yield f.words("habits.taps", share=f.percent(habits.tap_share))
