"""A letter as a mail server hands it over: what is read of it, and which letters are no person's enquiry."""

import random
import textwrap
from datetime import UTC, datetime

import pytest

from tracking_core.mail import Mail, NotALetter, NotEnquiry, read_mail

OWN = frozenset({"sales@okna.example", "okna.example"})
CODE = "000hhy05yp"
PLAIN = f"""\
Return-Path: <anna@mail.example>
Delivered-To: sales+{CODE}@okna.example
From: =?utf-8?B?0JDQvdC90LA=?= <Anna@Mail.example>
To: Sales <sales+{CODE}@okna.example>
Subject: =?utf-8?B?0J7QutC90L4=?= 2x1
Date: Fri, 20 Nov 2026 12:30:05 +0300
Message-ID: <a1@mail.example>
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: 8bit

Сколько стоит окно?
"""
HEAD = "From: anna@mail.example\nTo: sales@okna.example\n"


def read(text: str | bytes) -> Mail:
    return read_mail(text.encode() if isinstance(text, str) else text, OWN)


def said(body: str, kind: str = "text/plain; charset=utf-8") -> str:
    """What is read of a letter with this body."""
    return read(f"{HEAD}Content-Type: {kind}\n\n{textwrap.dedent(body)}").text


def test_a_letter_is_read_with_who_wrote_what_and_when() -> None:
    assert read(PLAIN) == Mail(
        key="a1@mail.example",
        thread=(),
        email="anna@mail.example",
        name="Анна",
        subject="Окно 2x1",
        text="Сколько стоит окно?",
        written_at=datetime(2026, 11, 20, 9, 30, 5, tzinfo=UTC),
        codes=(CODE,),
        not_enquiry=None,
    )


# -- whom it was sent to


@pytest.mark.parametrize("header", ["Delivered-To", "X-Original-To", "Envelope-To", "To", "Cc", "Resent-To"])
def test_the_code_is_found_in_every_header_that_names_a_recipient(header: str) -> None:
    told = f"From: anna@mail.example\n{header}: Sales <SALES+{CODE.upper()}@okna.example>, x@y.example\n\n"
    assert read(told).codes == (CODE,)


def test_every_recipient_is_tried() -> None:
    told = f"From: a@b.example\nTo: x <aaaaaaaaaa@okna.example>,\n sales+{CODE}@okna.example\nCc: bbbbbbbbbb@in.okna.example"
    assert read(f"{told}\n\n").codes == ("aaaaaaaaaa", CODE, "bbbbbbbbbb")


def test_a_domain_is_no_code() -> None:
    assert read(f"From: a@b.example\nTo: sales@{CODE}.example\n\n").codes == ()


# -- who wrote

SENDERS = {
    "From: anna@mail.example": ("", "anna@mail.example"),
    'From: "Петрова, Анна" <Anna@mail.example>': ("Петрова, Анна", "anna@mail.example"),
    "From: =?windows-1251?Q?=C0=ED=ED=E0?= <anna@mail.example>": ("Анна", "anna@mail.example"),
    "From: =?utf-8?Q?=D0=90=D0=BD?=\n =?utf-8?Q?=D0=BD=D0=B0?= <anna@mail.example>": ("Анна", "anna@mail.example"),
    "From: =?nobody?Q?Anna?= <anna@mail.example>": ("Anna", "anna@mail.example"),
    "From: Anna anna@mail.example": ("", "anna@mail.example"),
    "From: Anna <anna@mail.example": ("Anna", "anna@mail.example"),
    "From: Anna": ("Anna", ""),
    "From: form@service.example\nReply-To: Анна <anna@mail.example>": ("Анна", "anna@mail.example"),
    "From: Анна <anna@mail.example>\nReply-To: sales@okna.example": ("Анна", "anna@mail.example"),
    "To: sales@okna.example": ("", ""),
}


@pytest.mark.parametrize("head", SENDERS)
def test_the_sender_is_whom_to_answer(head: str) -> None:
    mail = read(f"{head}\n\n")
    assert (mail.name, mail.email) == SENDERS[head]


def test_bytes_without_a_charset_are_read_as_what_they_most_likely_are() -> None:
    raw = "From: Анна <anna@mail.example>\nSubject: Окно\n\nЗдравствуйте"
    for charset in ("utf-8", "cp1251"):
        mail = read(raw.encode(charset))
        assert (mail.name, mail.subject, mail.text) == ("Анна", "Окно", "Здравствуйте"), charset


# -- what it says


def test_plain_text_is_preferred_to_html_and_attachments_are_not_read() -> None:
    body = """\
        --b
        Content-Type: text/plain
        Content-Disposition: attachment; filename=price.txt

        price
        --b
        Content-Type: text/html; charset=utf-8

        <p>HTML</p>
        --b
        Content-Type: text/plain; charset=utf-8
        Content-Transfer-Encoding: quoted-printable

        =D0=9E=D0=BA=D0=BD=D0=BE
        --b--
        """
    assert said(body, "multipart/mixed; boundary=b") == "Окно"


def test_html_alone_is_read_as_its_reader_sees_it() -> None:
    html = """<html><head><title>t</title><style>p { color: red }</style></head><body><!-- <b>no</b> -->
        <p>Добрый&nbsp;день,\n друзья!</p><script>1 < 2</script><div>Окно 2 &lt; 3<br>и 1 < 2</div></body></html>"""
    assert said(html, "text/html; charset=utf-8") == "Добрый\xa0день, друзья!\n\nОкно 2 < 3\nи 1 < 2"


def test_a_long_text_is_cut_and_so_is_one_whose_end_is_missing() -> None:
    assert len(said("окно " * 2_000)) == 3_999  # the last space falls
    whole = f"{HEAD}Content-Type: text/plain; charset=utf-8\n\nОкно".encode()
    assert read(whole[:-1]).text == "Окн\ufffd"


QUOTED = {
    "Да.\n\nпт, 20 нояб. 2026 г. в 12:00, Отдел продаж <sales@okna.example> пишет:\n> Окно?": "Да.",
    "Yes.\n\nOn Fri, Nov 20, 2026 at 12:00 PM Sales <sales@okna.example> wrote:\n> A window?": "Yes.",
    "Да.\n-----Исходное сообщение-----\nОт: sales": "Да.",
    "Да.\n-----Original Message-----\nFrom: sales": "Да.",
    "Да.\n> Окно?\n> Дверь?": "Да.",
    "> Окно?\nДа.": "> Окно?\nДа.",
    "Стоит > 9 000?": "Стоит > 9 000?",
    "Дверь и окно:\nсколько?": "Дверь и окно:\nсколько?",
}


@pytest.mark.parametrize("text", QUOTED)
def test_what_a_letter_quotes_is_left_out(text: str) -> None:
    assert said(text) == QUOTED[text]


# -- which letter it is


def test_a_letter_without_an_id_is_known_by_what_it_says() -> None:
    bare = PLAIN.replace("Message-ID: <a1@mail.example>\n", "")
    again = "Received: by mx2.okna.example\n" + bare
    assert (read(bare).key, len(read(bare).key)) == (read(again).key, 64)
    assert read(bare.replace("окно", "дверь")).key != read(bare).key


def test_the_letters_it_answers_are_named_the_first_of_a_long_thread_among_them() -> None:
    references = " ".join(f"<r{number}@x>" for number in range(100))
    thread = read(f"{HEAD}References: {references}\nIn-Reply-To: <r99@x>\n\n").thread
    assert (thread[0], thread[-1], len(thread)) == ("r0@x", "r99@x", 19)


@pytest.mark.parametrize("date", ["", "yesterday", "Fri, 99 Nov 2026 12:30:05 +0300", "Fri, 20 Nov 99999 12:30 +9999"])
def test_a_date_nobody_can_read_is_none(date: str) -> None:
    assert read(f"{HEAD}Date: {date}\n\n").written_at is None


# -- who is no person

NO_ENQUIRY = {
    "Auto-Submitted: auto-replied": NotEnquiry.AUTO_REPLY,
    "Auto-Submitted: auto-replied\nReturn-Path: <>": NotEnquiry.AUTO_REPLY,
    "X-Autoreply: yes": NotEnquiry.AUTO_REPLY,
    "Precedence: auto_reply": NotEnquiry.AUTO_REPLY,
    "Content-Type: multipart/report; report-type=disposition-notification; boundary=b": NotEnquiry.AUTO_REPLY,
    "Content-Type: multipart/report; report-type=delivery-status; boundary=b": NotEnquiry.BOUNCE,
    "Return-Path: <>": NotEnquiry.BOUNCE,
    "Return-Path: <MAILER-DAEMON@mx.example>": NotEnquiry.BOUNCE,
    "Precedence: Bulk": NotEnquiry.MAILING_LIST,
    "Precedence: junk": NotEnquiry.MAILING_LIST,
    "List-Id: News <news.shop.example>": NotEnquiry.MAILING_LIST,
    "X-Spam-Flag: YES": NotEnquiry.SPAM,
    "X-Spam-Status: Yes, score=9.1": NotEnquiry.SPAM,
    # a person's
    "Auto-Submitted: no": None,
    "X-Spam-Flag: NO": None,
    "Precedence: first-class": None,
    "List-Unsubscribe: <https://crm.example>": None,
    "List-Id: <sales.okna.example>\nPrecedence: list": None,  # a shared mailbox of our own
}


@pytest.mark.parametrize("headers", NO_ENQUIRY)
def test_a_letter_no_person_wrote_is_named_as_what_it_is(headers: str) -> None:
    assert read(f"{HEAD}{headers}\n\nтекст").not_enquiry is NO_ENQUIRY[headers]


@pytest.mark.parametrize(
    ("sender", "is_own"),
    [
        ("sales@okna.example", True),
        ("Ivan <ivan@okna.example>", True),
        ("shop@www.OKNA.example", True),
        ("wordpress@okna.example\nReply-To: anna@mail.example", True),  # its form is told by the page already
        ("anna@notokna.example", False),
        ("anna@okna.example.org", False),
    ],
)
def test_a_letter_of_our_own_is_no_enquiry(sender: str, is_own: bool) -> None:
    assert (read(f"From: {sender}\n\n").not_enquiry is NotEnquiry.OWN) is is_own


# -- anything may come


@pytest.mark.parametrize("raw", [b"", b"\n\n", b"GET / HTTP/1.1\n\n", b"{}", b"\xff" * 9])
def test_what_is_no_letter_is_said_to_be_none(raw: bytes) -> None:
    with pytest.raises(NotALetter):
        read(raw)


HOSTILE = {
    "nested": b"".join(b"Content-Type: message/rfc822\n\n" for _ in range(3_000)),
    "brackets": b"(" * 20_000,
    "tags": b"x\nContent-Type: text/html\n\n" + b"<a " * 50_000,
    "comments": b"x\nContent-Type: text/html\n\n" + b"<!--" * 50_000,
    "parameters": b"x\nContent-Type: text/plain;" + b" charset*0=a;" * 5_000,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_no_letter_takes_long_or_breaks_the_reader(name: str) -> None:
    """Each of these took minutes, or ended in an error, with a reader that goes by the letter of the standard."""
    assert read(b"Subject: x\nFrom: " + HOSTILE[name]).key


def test_a_damaged_letter_is_read_as_far_as_it_goes() -> None:
    chance, whole = random.Random(17), PLAIN.encode()
    pieces = [b"=?x?B?", b"\x00", b"\xd0", b'"', b"<", b"(", b"\n", b"; charset=idna", b"charset*0*=", b"boundary="]
    for _ in range(300):
        raw = bytearray(whole)
        for _ in range(chance.randrange(1, 20)):
            place = chance.randrange(len(raw))
            raw[place : place + chance.randrange(9)] = chance.choice(pieces)
        try:
            read(bytes(raw))
        except NotALetter:
            continue
