"""The texts of the accuracy of matching in English: the page and the command line."""

from collections.abc import Mapping

ACCURACY_EN: Mapping[str, str] = {
    "nav.accuracy": "Accuracy",
    "accuracy.title": "How accurate matching is",
    "accuracy.none_title": "No calls in these days",
    "accuracy.none_say": "Accuracy is told of calls to the numbers of your pools. Choose more days, or look whether the script shows the numbers.",
    "accuracy.none_do": "To the sites",
    # the answer
    "accuracy.named": "{n} call came to the numbers of your pools; {named} got a visitor, and about {expected} of these the right one.|"
    "{n} calls came to the numbers of your pools; {named} got a visitor, and about {expected} of these the right one.",
    "accuracy.checked": "Checked on {n} call whose caller is known otherwise ({witnesses}): {right} right, {wrong} wrong, {unknown} left open.|"
    "Checked on {n} calls whose caller is known otherwise ({witnesses}): {right} right, {wrong} wrong, {unknown} left open.",
    "accuracy.share": "Of the checked calls that got a visitor {share} got the right one; so few prove from {least} to {most}. They are easier "
    "than the others: who taps or writes mostly calls at once.",
    "accuracy.too_few": "That is too few to say how accurate matching is: from {fewest} on the check says something. Until then the "
    "figures are what matching promises.",
    "accuracy.unchecked": "No caller of these days is known otherwise, so nothing could be checked: the figures are what matching promises. "
    "Taps on phone links of mobile pages and forms with a phone make checks.",
    "accuracy.do.too_sure": "Matching promises more than the check allows; the expected figures above count the check. More numbers, or a "
    "number only for who reaches for it, make fewer calls ambiguous.",
    "accuracy.do.unknown": "{share} of the calls got no visitor. Most such calls come hours after the visit, when others have had the number.",
    "accuracy.do.plan": "How many numbers are enough at {site}?",
    # tiles
    "accuracy.calls": "Calls to pool numbers",
    "accuracy.given": "Given to a visitor",
    "accuracy.given_rightly": "about {expected} rightly",
    "accuracy.probable": "Probable only",
    "accuracy.probable_say": "the likeliest of several, below 60%",
    "accuracy.unknown": "Nobody named",
    "accuracy.unknown_say": "not guessed",
    "accuracy.calls_checked": "{n} of them checked",
    "accuracy.of_calls": "{share} of them",
    # promises
    "accuracy.promises": "Promised and checked",
    "accuracy.promises_say": "Does a confidence of 90% mean that nine in ten are right?",
    "accuracy.band": "Confidence",
    "accuracy.band_from": "from {low}",
    "accuracy.band_low": "below {high}",
    "accuracy.band_calls": "Calls",
    "accuracy.told": "Promised",
    "accuracy.tested": "Checked",
    "accuracy.right": "Right",
    "accuracy.right_of": "{right} of {tested}",
    "accuracy.word": "In a word",
    "accuracy.word.kept": "keeps its word",
    "accuracy.word.too_sure": "too sure",
    "accuracy.word.too_modest": "better than promised",
    "accuracy.word.few": "too few to say",
    # reasons
    "accuracy.reasons": "By what calls were matched",
    "accuracy.reason": "Because",
    "accuracy.confidence": "Mean confidence",
    # delays
    "accuracy.delays": "How long after the visit they called",
    "accuracy.delays_say": "Late calls are the hard ones: by then others may have had the number.",
    "accuracy.delay.0": "on the page",
    "accuracy.delay.1": "within 5 min",
    "accuracy.delay.2": "within half an hour",
    "accuracy.delay.3": "within 2 hours",
    "accuracy.delay.4": "within a day",
    "accuracy.delay.5": "later",
    "accuracy.delay_words": "{delay}: {calls}.",
    # elsewhere
    "accuracy.elsewhere": "Calls to other numbers",
    "accuracy.elsewhere.placement": "of placements: the number names its placement",
    "accuracy.elsewhere.overflow": "for overflow: no number was free, only the channel is known",
    "accuracy.elsewhere.own": "your own numbers, or such as we never showed",
    # how
    "accuracy.how": "How the check works",
    "accuracy.how.calls": "Of some calls the caller is known otherwise than by who was shown the number: one of your people corrected the source by hand, the telephony named his visit, he tapped "
    "the number in the minute before the call, or he sent a form with the same phone within a day.",
    "accuracy.how.blind": "Each of these calls is matched once more as if there had been no tap, no form and no earlier call, and the answer "
    "is held against what is known. Who filled in the form on one device and called from the page of another counts as wrong.",
    "accuracy.how.latest": "The latest {most} such calls of these days are checked.",
    "accuracy.witness.person": "{n} by your people|{n} by your people",
    "accuracy.witness.telephony": "{n} named by telephony|{n} named by telephony",
    "accuracy.witness.tap": "{n} by a tap|{n} by a tap",
    "accuracy.witness.form": "{n} by a form|{n} by a form",
}
