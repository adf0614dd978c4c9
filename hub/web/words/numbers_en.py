"""The texts of a pool's plan in English: the page and the command line."""

from collections.abc import Mapping

NUMBERS_EN: Mapping[str, str] = {
    "numbers.link": "How many numbers are enough?",
    "numbers.title": "How many numbers are enough",
    "numbers.sub": "What the pool “{pool}” of the site {site} would have come to with more and fewer numbers.",
    "numbers.pools": "Pools",
    "numbers.none_title": "No pool yet",
    "numbers.none_say": "A pool is described in the set-up file (docs/setup-file.md).",
    # what to do
    "numbers.advice.keep": "Keep your {n} number: {right} of the calls go to the right visitor.|"
    "Keep your {n} numbers: {right} of the calls go to the right visitor.",
    "numbers.advice.fewer": "{n} number is enough instead of {now}: {right} of the calls go to the right visitor, now {right_now}.|"
    "{n} numbers are enough instead of {now}: {right} of the calls go to the right visitor, now {right_now}.",
    "numbers.advice.more": "You need {n} number instead of {now}: {right} of the calls go to the right visitor, now {right_now}.|"
    "You need {n} numbers instead of {now}: {right} of the calls then go to the right visitor, now {right_now}.",
    "numbers.advice.on_intent": "Give a number on intent, to who reaches for it: {n} is then enough instead of {now}, and {right} of the calls "
    "go to the right visitor, now {right_now}.|Give a number on intent, to who reaches for it: {n} are then enough instead of {now}, and {right} "
    "of the calls go to the right visitor, now {right_now}.",
    "numbers.advice.best": "Nothing tried gives {wanted} of the calls to the right visitor. {n} number {way} comes nearest: {right}, now "
    "{right_now}.|Nothing tried gives {wanted} of the calls to the right visitor. {n} numbers {way} come nearest: {right}, now {right_now}.",
    "numbers.way.every": "for every visitor",
    "numbers.way.intent": "on intent",
    # what it rests on
    "numbers.recorded": "Your own visits ({visits}) and calls ({calls}) from {first} to {last} were replayed.",
    "numbers.simulated": "These days are simulated, for {least} calls whose caller is sure are needed and yours are {sure}. Here {visits} "
    "visitors come, {per_hour} an hour around the clock, and call as visitors usually do.",
    "numbers.left_out": "{n} call of these days has no sure caller and is left out. Most such calls come long after the visit, so "
    "the figures promise too much: today's pool has at least {least} right.|{n} calls of these days have no sure caller and are left "
    "out. Most such calls come long after the visit, so the figures promise too much: today's pool has at least {least} right.",
    "numbers.cut": "Only the latest visits were replayed, so that the answer takes seconds; cthub pool plan replays more.",
    "numbers.supposed": "Who would reach for a number is supposed: a script that gives numbers at page load does not tell, so three "
    "visitors in ten are taken to, all callers among them.",
    "numbers.queueing": "In the busiest hour {per_hour} visitors ask for a number, stay {stay} min on average and keep it {hold} min more. With "
    "{now} numbers {overflow} of them find none; with {enough} fewer than 1 in 100 (Erlang B).",
    "numbers.other_hold": "With a hold of {other} min instead of {hold}, today's pool gives {right} right and {wrong} wrong, and {overflow} of "
    "the visitors find no number.",
    # the picture and the table
    "numbers.chart": "Calls given to the right visitor",
    "numbers.chart_words": "{numbers} {way}: {right}.",
    "numbers.chart_axis": "numbers in the pool",
    "numbers.asked": "{wanted} asked for",
    "numbers.table": "What each pool would have come to",
    "numbers.numbers": "Numbers",
    "numbers.given": "Given",
    "numbers.right": "Right",
    "numbers.wrong": "Wrong",
    "numbers.unknown": "Unknown",
    "numbers.overflow": "Found none",
    "numbers.now": "now",
    "numbers.advised": "advised",
    "numbers.about.right": "of the calls went to the visitor who called.",
    "numbers.about.wrong": "of the calls went to another.",
    "numbers.about.unknown": "of the calls had no visitor likely enough, 60 %.",
    "numbers.about.overflow": "of the visitors who wanted a number; they saw the overflow number.",
}
