"""How the visitors of a site call, in English: the page and the command line."""

from collections.abc import Mapping

HABITS_EN: Mapping[str, str] = {
    "habits.title": "How your visitors call",
    "habits.unread": "Your calls have not been looked at yet: the hub does so once a day while it runs. Until then general figures are used.",
    "habits.few": "General figures are used: your own are learned from {least} first calls of people on, so far there is {n}.|"
    "General figures are used: your own are learned from {least} first calls of people on, so far there are {n}.",
    "habits.when": "{present} of the calls come while the visitor is on the page. Of the others half come within {half} after, nine in ten within {most}.",
    "habits.learned": "Learned from {n} first call of the last 90 days, {when}.|Learned from {n} first calls of the last 90 days, {when}.",
    "habits.hold": "The general figures, {present} from the page and {late} more than {hold} min after, still hold.",
    "habits.differ": "By the general figures {present} would come from the page and {late} more than {hold} min after; with you {own_late} do. Your "
    "own figures are used.",
    "habits.regions": "{known} of the callers' phones tell a region; {differs} of these tell another than the visit's.",
    "habits.taps": "{share} of the calls from the page come right after a tap on the number.",
    "habits.minutes": "{n} min",
    "habits.hours": "{n} h",
}
