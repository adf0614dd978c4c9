"""Many callers at once: five are asked for by one command, and told apart by what is on the cards it names."""

import random
from dataclasses import dataclass, field, replace
from functools import cached_property

import pytest

from connectors.bitrix24 import people
from connectors.bitrix24.api import Api
from connectors.bitrix24.find import digits
from connectors.contract import delivery, enquiry
from connectors.protocol import InstallationError, Ref, Status
from connectors.telling import Said
from tests.connectors.bitrix24.conftest import HOST, Fault, card
from tracking_core.enquiry import EnquiryKind

MANY = 60  # more than one hit asks for one by one, and as many questions as make reading cards worth a hit


def phone(place):
    return f"+7916123{place:04}"


def calls(count=MANY):
    return [delivery(enquiry(caller=phone(place)), id=f"d-{place}", marker=f"hub:{place}") for place in range(count)]


def mails(count=MANY):
    forms = (
        enquiry(caller=None, email=f"anna{place}@example.ru", kind=EnquiryKind.FORM, id=f"f-{place}")
        for place in range(count)
    )
    return [delivery(form, id=f"d-{place}", marker=f"hub:{place}") for place, form in enumerate(forms)]


def plain(value):
    """Compare as the sandbox does."""
    return value.lower() if "@" in value else digits(value)


@dataclass
class Book:
    """Cards of one kind with what is stored on them; answers as the vendor does, whose they are it does not say."""

    cards: dict = field(default_factory=dict)  # id -> phones and e-mails
    entity: str = "CONTACT"
    compares: object = plain
    unread: tuple = ()  # ids of cards that are found and not read

    def found(self, asked):
        wanted = {self.compares(value) for name, value in asked.params.items() if name.startswith("values[")}
        ids = [id_ for id_, stored in self._stored.items() if stored & wanted]
        return {self.entity: ids[:20]} if ids else []

    @cached_property
    def _stored(self):
        return {id_: {self.compares(one) for one in stored} for id_, stored in self.cards.items()}

    def read(self, asked):
        assert asked["select[0]"] == "*", "only whole cards tell what is stored on them"
        wanted = [int(value) for name, value in asked.params.items() if name.startswith("filter[@id]")]
        assert len(wanted) <= 50, "a page shows fifty"
        return {"items": [self._row(id_) for id_ in wanted if id_ not in self.unread]}

    def _row(self, id_):
        ways = [{"typeId": "EMAIL" if "@" in one else "PHONE", "value": one} for one in self.cards[id_]]
        return {**card(id_), "contactId": None, "fm": ways}

    def lies_in(self, portal):
        kind = {"CONTACT": "3", "LEAD": "1"}[self.entity]
        portal.on("crm.duplicate.findbycomm", self.found, where=lambda asked: asked["entity_type"] == self.entity)
        portal.on(
            "crm.item.list",
            self.read,
            where=lambda asked: asked["entityTypeId"] == kind and asked["filter[@id][0]"] and asked["select[0]"] == "*",
        )
        return self


def everybody(count=MANY, besides=None, **changed):
    """A book with a contact for each of many callers: the n-th is contact 1000 + n."""
    return Book({1000 + place: [phone(place)] for place in range(count)} | (besides or {}), **changed)


def contacts(outcomes):
    """Return which contact each delivery got."""
    return {
        int(id_.removeprefix("d-")): next((int(ref.id) for ref in outcome.refs if ref.kind == "contact"), None)
        for id_, outcome in outcomes.items()
    }


def keys(portal, number):
    """Return what a hit asked for besides the deals of contacts."""
    return [one.key for one in portal.batches[number] if not one["filter[@contactId][0]"]]


def searches(portal, number):
    return [one for one in portal.batches[number] if one.method == "crm.duplicate.findbycomm"]


KNOWN = {place: 1000 + place for place in range(MANY)}


# -- how many are asked for at once


async def test_fifty_callers_are_asked_for_one_by_one(session, portal):
    await session.deliver(calls(50))
    assert keys(portal, 0) == [f"phonec{place}" for place in range(50)]


async def test_more_callers_are_asked_for_by_fives_each_in_every_spelling(session, portal):
    await session.deliver(calls(51))
    assert len(portal.batches[0]) == 11
    asked = [portal.batches[0][0][f"values[{place}]"] for place in range(21)]
    assert asked[:5] == ["+79161230000", "79161230000", "89161230000", "9161230000", "+79161230001"]
    assert asked[19:] == ["9161230004", None]


async def test_an_answer_without_cards_says_that_all_five_are_unknown(session, portal):
    outcomes = await session.deliver(calls(51))
    assert {outcome.status for outcome in outcomes.values()} == {Status.DELIVERED}
    assert len(portal.of("crm.duplicate.findbycomm")) == 11
    made = [one for one in portal.of("crm.item.add") if one["entityTypeId"] == "3"]
    assert [one["fields[fm][0][value]"] for one in made] == [phone(place) for place in range(51)]


async def test_five_hundred_new_callers_take_two_hits_where_they_took_ten(session, portal):
    await session.deliver(calls(500))
    looks = [batch for batch in portal.batches if batch[0].method == "crm.duplicate.findbycomm"]
    assert [len(batch) for batch in looks] == [50, 50]


async def test_where_fives_save_no_hit_everybody_is_asked_for_alone(session, portal):
    doubtful = [replace(one, in_doubt=True, attempt=2) for one in calls(20)]
    await session.deliver([*doubtful, *calls(24)[20:]])
    assert keys(portal, 1)[-4:] == [f"phonec{place}" for place in range(20, 24)]


async def test_callers_without_other_spellings_go_by_fives_too(session, portal):
    abroad = [
        delivery(enquiry(caller=f"+4930123{place:04}"), id=f"d-{place}", marker=f"hub:{place}") for place in range(60)
    ]
    await session.deliver(abroad)
    assert [asked["values[9]"] for asked in searches(portal, 0)] == [f"4930123{place:04}" for place in range(4, 60, 5)]


# -- whose the cards are


async def test_one_who_is_known_is_found_by_asking_for_each_of_his_five(session, portal):
    Book({44: [phone(7)]}).lies_in(portal)
    outcomes = await session.deliver(calls())
    assert keys(portal, 1) == [f"phonec{place}" for place in range(5, 10)]
    assert contacts(outcomes)[7] == 44
    made = [one["fields[fm][0][value]"] for one in portal.of("crm.item.add") if one["entityTypeId"] == "3"]
    assert made == [phone(place) for place in range(MANY) if place != 7]


async def test_two_of_one_five_get_each_his_own_contact(session, portal):
    Book({44: [phone(7)], 45: [phone(5)]}).lies_in(portal)
    found = contacts(await session.deliver(calls()))
    assert (found[5], found[7]) == (45, 44)


async def test_where_many_are_known_their_cards_are_read_and_nobody_is_asked_for_again(session, portal):
    everybody().lies_in(portal)
    assert contacts(await session.deliver(calls())) == KNOWN
    assert keys(portal, 1) == ["cardsCONTACT0", "cardsCONTACT50"]
    assert len(portal.of("crm.duplicate.findbycomm")) == MANY / 5


async def test_the_deals_of_who_may_be_known_are_asked_for_in_the_same_hit(session, portal):
    everybody().lies_in(portal)
    await session.deliver(calls())
    named = [value for one in portal.batches[1] for name, value in one.params.items() if "@contactId" in name]
    assert sorted(map(int, named)) == sorted(KNOWN.values())
    assert len([one for one in portal.asked if one["filter[@contactId][0]"]]) == MANY / 5


async def test_what_the_hub_saw_lately_is_asked_for_there_too_and_only_once(session, portal):
    everybody().lies_in(portal)
    lately = {"items": [card(341, contactId=1007)]}
    portal.on("crm.item.list", lately, where=lambda asked: asked["filter[@id][0]"] == "341")
    batch = calls()
    batch[7] = replace(batch[7], nearby=(Ref("contact", "1007"), Ref("deal", "341")))
    outcomes = await session.deliver(batch)
    assert ("deal", "341") in [(ref.kind, ref.id) for ref in outcomes["d-7"].refs]
    assert [key for place in range(len(portal.batches)) for key in keys(portal, place) if "near" in key] == ["near2x0"]
    assert "near2x0" in keys(portal, 1)


async def test_the_deals_of_a_contact_that_only_asking_alone_brings_are_asked_for_later(session, portal):
    Book({**{number: [phone(5)] for number in range(100, 120)}, 1007: [phone(7)]}).lies_in(portal)
    deal = {"items": [card(340, contactId=1007)]}
    portal.on(
        "crm.item.list", deal, where=lambda asked: asked["entityTypeId"] == "2" and "1007" in asked.params.values()
    )
    outcomes = await session.deliver(calls())
    assert [(ref.kind, ref.id) for ref in outcomes["d-7"].refs][:2] == [("contact", "1007"), ("deal", "340")]


async def test_where_a_page_is_too_short_for_the_deals_of_five_each_contact_is_asked_for_alone(session, portal):
    everybody().lies_in(portal)
    crowded = {"items": [card(number, contactId=1005, closed="Y") for number in range(400, 450)]}
    portal.on("crm.item.list", crowded, where=lambda asked: asked["filter[@contactId][2]"] == "1007")
    alone = {"items": [card(340, contactId=1007)]}
    portal.on("crm.item.list", alone, where=lambda asked: asked["filter[@contactId][0]"] == "1007")
    outcomes = await session.deliver(calls())
    assert ("deal", "340") in [(ref.kind, ref.id) for ref in outcomes["d-7"].refs]
    assert len(portal.batches[2]) == 5


async def test_a_caller_with_many_contacts_takes_one_command_for_their_deals(session, portal):
    Book({number: [phone(5)] for number in range(100, 120)}).lies_in(portal)
    await session.deliver(calls())
    assert len([one for one in portal.asked if one["filter[@contactId][0]"]]) == 1


async def test_two_contacts_of_one_caller_are_both_his(session, portal):
    everybody(besides={99: [phone(7), "+74950000000"]}).lies_in(portal)
    deal = {"items": [card(340, contactId=1007)]}
    portal.on(
        "crm.item.list", deal, where=lambda asked: "1007" in asked.params.values() and asked["entityTypeId"] == "2"
    )
    outcomes = await session.deliver(calls())
    assert [(ref.kind, ref.id) for ref in outcomes["d-7"].refs][:2] == [("contact", "1007"), ("deal", "340")]


async def test_of_two_contacts_without_deals_the_oldest_is_his_as_ever(session, portal):
    everybody(besides={99: [phone(7)]}).lies_in(portal)
    assert contacts(await session.deliver(calls())) == KNOWN | {7: 99}


async def test_one_card_may_be_of_two_of_the_five(session, portal):
    book = everybody(besides={99: [phone(7), phone(8)]})
    del book.cards[1007], book.cards[1008]
    book.lies_in(portal)
    assert contacts(await session.deliver(calls())) == KNOWN | {7: 99, 8: 99}


@pytest.mark.parametrize("stored", ["8 (916) 123-00-07", "+7 916 123 00 07", "916-123-00-07"])
async def test_a_phone_in_another_spelling_is_the_callers_digit_for_digit(session, portal, stored):
    book = everybody()
    book.cards[1007] = [stored]
    book.lies_in(portal)
    assert contacts(await session.deliver(calls())) == KNOWN
    assert len(portal.of("crm.duplicate.findbycomm")) == MANY / 5


async def test_who_is_stored_as_only_the_portal_can_read_is_asked_for_alone(session, portal):
    book = everybody(compares=lambda value: plain(value.partition(" доб.")[0]))
    book.cards[1007] = ["+7 916 123-00-07 доб. 12"]
    book.lies_in(portal)
    assert contacts(await session.deliver(calls())) == KNOWN
    assert keys(portal, 2) == ["phonec7"]


async def test_a_card_like_none_of_the_five_has_each_of_them_asked_for_alone(session, portal):
    foreign = {plain(phone(7)): "vanity", "18003569377": "vanity"}
    book = everybody(compares=lambda value: foreign.get(plain(value), plain(value)))
    book.cards[1007] = ["1 800 356-93-77"]
    book.lies_in(portal)
    assert contacts(await session.deliver(calls())) == KNOWN
    assert keys(portal, 2) == [f"phonec{place}" for place in range(5, 10)]


async def test_a_card_that_is_not_read_has_each_of_the_five_asked_for_alone(session, portal):
    everybody(unread=(1007,)).lies_in(portal)
    assert contacts(await session.deliver(calls())) == KNOWN
    assert keys(portal, 2) == [f"phonec{place}" for place in range(5, 10)]


async def test_a_list_that_does_not_tell_phones_is_done_without(session, portal):
    everybody().lies_in(portal)
    bare = {"items": [{"id": id_} for id_ in KNOWN.values()]}
    portal.on("crm.item.list", bare, where=lambda asked: asked["select[0]"] == "*")
    assert contacts(await session.deliver(calls())) == KNOWN


@pytest.mark.parametrize("fault", [Fault("ACCESS_DENIED", "Access denied."), Fault("ERROR_CORE"), None])
async def test_cards_that_may_not_be_read_are_done_without(session, portal, fault):
    everybody().lies_in(portal)
    portal.on("crm.item.list", fault, where=lambda asked: asked["select[0]"] == "*")
    assert contacts(await session.deliver(calls())) == KNOWN


async def test_an_answer_with_twenty_cards_proves_nothing_of_the_others(session, portal):
    crowd = {number: [phone(5)] for number in range(100, 120)}
    Book({**crowd, 1007: [phone(7)]}).lies_in(portal)
    found = contacts(await session.deliver(calls()))
    assert (found[5], found[7]) == (100, 1007)


async def test_where_all_answers_are_full_no_card_is_read(session, portal):
    crowds = {20 * place + number: [phone(5 * place)] for place in range(12) for number in range(1, 21)}
    Book({**crowds, **everybody().cards}).lies_in(portal)
    found = contacts(await session.deliver(calls()))
    assert not [one for one in portal.asked if one["select[0]"] == "*"]
    assert found == KNOWN | {place: 4 * place + 1 for place in range(0, MANY, 5)}


# -- the table of the README: hits of the looks for 500 callers


def nobody():
    return Book()


def one_in_ten():
    chance = random.Random(1)
    return Book({1000 + place: [phone(place)] for place in chance.sample(range(500), 50)})


def one_in_ten_stored_oddly():
    book = everybody(500, compares=lambda value: plain(value)[-10:])
    for place in range(0, 500, 10):
        book.cards[1000 + place] = [f"007{phone(place)[2:]}"]
    return book


def full_answers():
    crowds = {10_000 + 100 * place + number: [phone(place)] for place in range(0, 500, 5) for number in range(19)}
    return everybody(500, crowds)


def phones_untold():
    return everybody(500, unread=tuple(range(1000, 1500)))


@pytest.mark.parametrize(
    ("book", "hits"),
    [
        (nobody, 2),
        (one_in_ten, 3),
        (lambda: everybody(500), 5),
        (one_in_ten_stored_oddly, 6),
        (full_answers, 14),
        (phones_untold, 15),
    ],
    ids=["nobody", "one in ten", "everybody", "one in ten stored oddly", "full answers", "phones untold"],
)
async def test_looks_for_five_hundred_callers_take_as_many_hits_as_the_readme_says(session, portal, book, hits):
    found = book().lies_in(portal)
    outcomes = await session.deliver(calls(500))
    looks = [batch for batch in portal.batches if not any(one.method.endswith(".add") for one in batch)]
    assert len(looks) == hits
    assert max(sum(one["select[0]"] == "*" for one in batch) for batch in looks) <= 5, "a hit shows 250 whole cards"
    made = 44
    assert contacts(outcomes) == {place: 1000 + place if 1000 + place in found.cards else made for place in range(500)}


# -- e-mails and leads


async def test_e_mails_go_by_fives_in_whatever_letters_they_are_stored(session, portal):
    book = Book(
        {1000 + place: [f" Anna{place}@Example.ru"] for place in range(MANY)}, compares=lambda one: plain(one.strip())
    )
    book.lies_in(portal)
    assert contacts(await session.deliver(mails())) == KNOWN
    assert len(portal.of("crm.duplicate.findbycomm")) == MANY / 5


async def test_phones_and_e_mails_are_asked_for_apart_and_a_phone_goes_before(session, portal):
    Book({45: ["anna@example.ru"], 44: [phone(3)]}).lies_in(portal)
    batch = calls()
    batch[3] = delivery(enquiry(caller=phone(3), email="anna@example.ru"), id="d-3", marker="hub:3")
    batch[4] = delivery(enquiry(caller=phone(4), email="anna@example.com"), id="d-4", marker="hub:4")
    found = contacts(await session.deliver(batch))
    assert [one["type"] for one in searches(portal, 0)] == ["PHONE"] * 12 + ["EMAIL"]
    assert found[3] == 44


async def test_contacts_and_leads_are_asked_for_apart(classic, portal):
    Book({10: [phone(7)]}, entity="LEAD").lies_in(portal)
    lead = {"items": [card(10, contactId=None)]}
    portal.on("crm.item.list", lead, where=lambda asked: asked["filter[@id][0]"] == "10" and asked["select[0]"] != "*")
    outcomes = await classic.deliver(calls())
    assert [one["entity_type"] for one in searches(portal, 0)] == ["CONTACT"] * 12 + ["LEAD"] * 12
    assert next((ref.kind, ref.id) for ref in outcomes["d-7"].refs) == ("deal", "L10")


async def test_a_contact_and_a_lead_of_one_number_are_told_apart_by_kind(classic, portal):
    everybody().lies_in(portal)
    Book({1007: [phone(8)]}, entity="LEAD").lies_in(portal)
    outcomes = await classic.deliver(calls())
    assert contacts(outcomes)[7] == 1007
    assert contacts(outcomes)[8] == 1008


# -- what goes wrong


async def test_a_fault_of_one_command_is_that_of_its_five(session, portal):
    portal.on(
        "crm.duplicate.findbycomm", Fault("ERROR_CORE", "Not now"), where=lambda asked: asked["values[0]"] == phone(5)
    )
    outcomes = await session.deliver(calls())
    waiting = {id_ for id_, outcome in outcomes.items() if outcome.status is Status.RETRY}
    assert waiting == {f"d-{place}" for place in range(5, 10)}
    assert all(outcomes[id_].said == (Said("untold"),) for id_ in waiting)
    assert {outcomes[id_].detail for id_ in waiting} == {"Not now"}


async def test_what_no_answer_speaks_of_makes_nobody_new(session, portal):
    portal.on("crm.duplicate.findbycomm", None, where=lambda asked: asked["values[0]"] == phone(5))
    outcomes = await session.deliver(calls())
    assert [id_ for id_, outcome in outcomes.items() if outcome.status is Status.RETRY] == [
        f"d-{place}" for place in range(5, 10)
    ]
    assert phone(7) not in [one["fields[fm][0][value]"] for one in portal.of("crm.item.add")]


async def test_a_fault_of_asking_alone_is_his_who_was_asked_for(session, portal):
    Book({44: [phone(7)]}).lies_in(portal)
    portal.on("crm.duplicate.findbycomm", Fault("ERROR_CORE", "Not now"), where=lambda asked: asked.key == "phonec6")
    outcomes = await session.deliver(calls())
    assert [id_ for id_, outcome in outcomes.items() if outcome.status is Status.RETRY] == ["d-6"]


async def test_deals_that_are_not_told_make_their_callers_wait(session, portal):
    everybody().lies_in(portal)
    portal.on("crm.item.list", None, where=lambda asked: asked["filter[@contactId][0]"] == "1005")
    outcomes = await session.deliver(calls())
    waiting = [id_ for id_, outcome in outcomes.items() if outcome.status is Status.RETRY]
    assert waiting == [f"d-{place}" for place in range(5, 10)]


async def test_who_may_not_look_makes_nothing(session, portal):
    portal.on(
        "crm.duplicate.findbycomm",
        Fault("ACCESS_DENIED", "Access denied."),
        where=lambda asked: asked["values[0]"] == phone(5),
    )
    with pytest.raises(InstallationError) as raised:
        await session.deliver(calls())
    assert raised.value.said == Said("no_rights")
    assert not portal.of("crm.item.add")


async def test_deliveries_with_an_attempt_before_are_asked_for_as_ever(session, portal):
    batch = calls()
    batch[3] = replace(batch[3], in_doubt=True, attempt=2)
    batch[4] = replace(batch[4], known=(Ref("contact", "44"),), attempt=2)
    await session.deliver(batch)
    asked = keys(portal, 0)
    assert [key for key in asked if key.startswith("phonec")] == ["phonec3", "phonec4"]
    assert [key for key in asked if key.startswith("made")] == ["made3", "made4"]
    assert len([key for key in asked if key.startswith("group")]) == 12


# -- whoever is in the book, nobody is found who would not be, and nobody is missed


COMPARISONS = {
    "digits": plain,
    "last ten digits": lambda value: plain(value)[-10:],
    "no extension": lambda value: plain(value.partition(" доб.")[0]),
}


def spelt(chance, number):
    ten = number[2:]
    return chance.choice([number, f"8{ten}", f"+7 ({ten[:3]}) {ten[3:]}", f"{number} доб. 5", f"007{ten}", ten])


def anybody(chance, entity, compares):
    """Return a book in which callers have none, one or many cards, alone or with others, in any spelling."""
    cards = {}
    for number in range(1, chance.randrange(1, 150)):
        owners = chance.choices(range(MANY + 20), k=chance.choice([1, 1, 1, 2, 3]))
        cards[number] = [spelt(chance, phone(0 if chance.random() < 0.2 else owner)) for owner in owners]
    return Book(cards, entity, compares)


@pytest.mark.parametrize("compares", COMPARISONS.values(), ids=COMPARISONS)
@pytest.mark.parametrize("seed", range(12))
async def test_by_fives_the_same_people_are_found_as_one_by_one(http, portal, compares, seed):
    chance = random.Random(seed)
    books = [anybody(chance, entity, compares).lies_in(portal) for entity in ("CONTACT", "LEAD")]
    kinds = (("c", "CONTACT"), ("l", "LEAD"))
    sought = [one for place in range(MANY) for one in people.sought(place, enquiry(caller=phone(place)), kinds)]
    commands = {one.key: one.command for one in sought}
    api = Api(http, f"https://{HOST}", "access-t0ken")
    by_fives, one_by_one = await people.ask(api, commands, sought, lambda _: {}), await api.ask(commands)
    assert any(book.cards for book in books)
    assert {one.key: people.found(by_fives, one.key, one.entity) for one in sought} == {
        one.key: people.found(one_by_one, one.key, one.entity) for one in sought
    }
