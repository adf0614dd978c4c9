"""What each word of a scenario file says, for the hints of editors: the sentences of docs/scenarios.md, short."""

from collections.abc import Mapping

TRIGGERS: Mapping[str, str] = {
    "ringing": "a call comes in",
    "answered": "a person of yours has picked it up",
    "ended": "the talk with a person of yours is over",
    "missed": "the call is over and nobody talked: not answered, busy, hung up, voicemail",
    "missed_after_hours": "the same outside `working_hours`; without a rule for it `missed`",
    "recording_ready": "the recording of the call can be heard",
    "qualified": "your rules count the enquiry as a target one",
    "callback_done": "who called in vain, or ordered a call, was called back within three days and answered",
    "form": "a form of the site was sent",
    "callback": "a call back was ordered",
    "chat": "a chat, passed on by `POST /api/v1/enquiries`",
    "mail": "a letter, passed on by `POST /api/v1/enquiries`",
    "manual": "a manager's note, passed on by `POST /api/v1/enquiries`",
}
STATES: Mapping[str, str] = {
    "unknown": "no contact has this phone, nor this e-mail; a hidden number is always unknown",
    "open_deal": "at least one deal is open",
    "open_elsewhere": "a deal is open, but none in the pipeline from above",
    "open_lead": "a lead is open, and no deal",
    "no_open_deal": "there is a contact, and all of its deals are closed",
    "no_deals": "there is a contact that never had a deal",
    "won": "no deal is open, and at least one was won",
    "lost": "all deals were lost",
    "lost_lately": "all deals were lost, one of them within `lately_days`",
    "several_contacts": "more than one contact has the phone",
    "staff": "the number is on your list `staff`, whatever the CRM knows of it",
    "blacklisted": "the number is on your list `blacklist`, whatever the CRM knows of it",
}
RESULTS: Mapping[str, str] = {
    "short": "a talk of less than `short_s` seconds",
    "by_responsible": "the person talked who is responsible for the deal, else for the contact",
    "by_other": "somebody else talked whom `people` names",
    "by_unlinked": "whoever talked is not in `people`, or telephony did not tell who it was",
    "otherwise": "whatever came of it",
}
ACTIONS: Mapping[str, str] = {
    "deal": "Creates a deal with its source fields on the caller's contact, and the contact if there is none.",
    "incoming": "Like `deal`, but a person first accepts or declines it.",
    "note": "Writes the call on the deal.",
    "task": "Asks a person to act, `due_minutes` after the call began.",
    "move": "Moves the open deal to a stage.",
    "reopen": "Opens the deal of that pipeline again which was lost last.",
    "fields": "Writes fields of the open deal.",
    "close_tasks": "Completes the tasks that the hub has set on the open deal.",
    "tag": "Puts tags on the open deal beside those it has.",
}
TELEPHONY: Mapping[str, str] = {
    "note": "It is written on its card.",
    "register": "The same, and it is one of the CRM's own calls.",
    "observe": "The CRM takes these calls itself and makes their cards; they are given the source, and a note.",
}
OF_SEVERAL: Mapping[str, str] = {
    "newest": "the newest one",
    "oldest": "the oldest one",
    "answerers": "the one of who talked, if there is one",
}
MODES: Mapping[str, str] = {
    "always": "whatever the field says",
    "if_empty": "where it says nothing",
    "append": "behind what it says",
    "first": "of a person's first enquiry alone, and where it says nothing",
}
WHO: Mapping[str, str] = {
    "answerer": "who talked, where `people` names him",
    "deal_owner": "who is responsible for the caller's open deal, or for the deal that the rule has just made",
    "contact_owner": "who is responsible for his contact",
}
WAYS: Mapping[str, str] = {
    "turns": "one after the other: `all` users of the account, a list of them, or each with the hours in which he is there",
    "by_number": "by the number that was dialled",
    "by_region": "by the region of the caller's phone, else of his visit; names as on a map, or codes such as `RU-MOW`",
}
NOTED: Mapping[str, str] = {"user": "a user of your account, by name or id"}
# By word, or by the place and the word where it says something else there.
WORDS: Mapping[str, str] = {
    "analytics": "`true` tells the CRM's own analytics of the visit that brought a new deal or lead.",
    "blacklist": "Phones, in any spelling, of whom nothing is told.",
    "company": "Name of the company: the one that is called so is found, else it is created.",
    "due_minutes": "Minutes after the call began.",
    "fields": "Code or id of a deal field -> text. Source fields are filled without it.",
    "from": "The stages it is moved from; left out: every open stage before.",
    "holidays": "Days without working hours, such as `2027-01-07`.",
    "language": "Of the words that fill the braces.",
    "lately_days": "Days: a deal that was lost since then was lost lately.",
    "name": "Name of the deal, at most 250 characters.",
    "of_several": "Which of several open deals is written on.",
    "people": "What telephony calls who answers -> user of the CRM.",
    "pipeline": "Name or id; left out: the one from above.",
    "popup": "`true` shows the caller's card to whom the call rings, or who answers.",
    "responsible": "Who gets it: a user, or one of the words; a list is tried from its first line on.",
    "short_s": "Seconds: a shorter talk is short; 0: no talk is.",
    "staff": "Phones, in any spelling, of your own people.",
    "stage": "Name or id; left out: the first stage.",
    "tags": "At most 10.",
    "telephony": "How a call stands beside the telephony of the CRM itself.",
    "text": "Its text; placeholders stand in braces, such as {caller}.",
    "texts": "Texts by name: what stands in several notes is written once.",
    "timezone": "IANA name, of {started}.",
    "use": "Names one of the `texts`.",
    "working_hours": "By day (`mon`, or `mon-fri`) from when until when, in `timezone`.",
    "move.pipeline": "Whose stages these are; left out: the one from above.",
    "move.stage": "Where the deal goes; not a closed stage.",
    "reopen.pipeline": "Whose stages these are; left out: the one from above.",
    "reopen.stage": "Where the deal goes; not a closed stage.",
    "top.name": "What the scenario is called.",
    "top.pipeline": "Name or id; left out: the main pipeline.",
}
