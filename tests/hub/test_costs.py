"""A spend file: money exact to the minor unit, and a refusal that names the line, the value and what is allowed."""

from datetime import date

import pytest

from hub.costs import SpendInvalid, read_csv

HEAD = "day,source,campaign,cost,clicks\n"


def one(line: str, head: str = HEAD) -> dict[str, object]:
    (row,) = read_csv((head + line).encode(), currency="RUB")
    return row


def test_a_line_is_a_day_of_a_campaign() -> None:
    assert one("2026-11-20,yandex,okna-msk,2500.50,10\n") == {
        "day": date(2026, 11, 20), "source": "yandex", "campaign": "okna-msk", "cost_minor": 250_050, "clicks": 10,
        "currency": "RUB",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("cost", "minor"),
    [
        ("0", 0),
        ("0.01", 1),
        ("1234.5", 123_450),
        ("1e3", 100_000),
        ("9999999999999.99", 999_999_999_999_999),
        ("2.500", 250),
    ],
)
def test_a_cost_is_exact_to_the_minor_unit(cost: str, minor: int) -> None:
    assert one(f"2026-11-20,a,b,{cost},1")["cost_minor"] == minor


@pytest.mark.parametrize("cost", ["2 500,50", "2\u00a0500,50", "2500,50"])
def test_a_cost_as_russian_tables_write_it(cost: str) -> None:
    assert one(f"2026-11-20;a;b;{cost};1", HEAD.replace(",", ";"))["cost_minor"] == 250_050


def test_a_table_with_a_byte_order_mark_quotes_and_more_columns_is_read() -> None:
    body = '\ufeffclicks,cost,day,source,campaign,note\r\n,12,2026-11-20, яндекс ,"окна, москва",x\r\n'
    (row,) = read_csv(body.encode(), currency="EUR")
    assert (row["source"], row["campaign"], row["clicks"], row["cost_minor"]) == ("яндекс", "окна, москва", 0, 1_200)


def test_a_file_with_its_head_alone_has_no_rows() -> None:
    assert read_csv(HEAD.encode(), currency="RUB") == []


@pytest.mark.parametrize(
    "cost",
    [
        "",
        "-1",
        "0.001",
        "NaN",
        "sNaN",
        "inf",
        "1e999999",
        "1e-999999",
        "12.3.4",
        "ten",
        "99999999999999999",
        "1" * 5_000,
        "0x10",
    ],
)
def test_a_cost_that_is_none_is_refused_with_its_line(cost: str) -> None:
    with pytest.raises(SpendInvalid, match=r"^Line 3: .* is not a cost like 1234\.50\.$"):
        read_csv(f"{HEAD}2026-11-20,a,b,1,1\n2026-11-20,a,b,{cost},1\n".encode(), currency="RUB")


@pytest.mark.parametrize("day", ["", "20.11.2026", "2026-13-01", "2026-02-30", "today"])
def test_a_day_that_is_none_is_refused_with_its_line(day: str) -> None:
    with pytest.raises(SpendInvalid, match=r"^Line 2: .* is not a day like 2026-11-20\.$"):
        one(f"{day},a,b,1,1")


@pytest.mark.parametrize("clicks", ["-1", "1.5", "many", "9" * 16, "2147483648"])
def test_clicks_that_are_none_are_refused_with_their_line(clicks: str) -> None:
    with pytest.raises(SpendInvalid, match=r"^Line 2: .* is not a whole number of clicks\.$"):
        one(f"2026-11-20,a,b,1,{clicks}")


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b"", "the column day is missing; the columns are day, source, campaign, cost, clicks"),
        (b"\xff\xfe\x00", "not UTF-8"),
        (b"day,source,campaign,clicks\n", "the column cost is missing"),
        (HEAD.encode() + b"2026-11-20,a\x00b,c,1,1\n", "Line 2: a NUL character"),
        (HEAD.encode() + b"2026-11-20\n", "Line 2: None is not a cost"),
        (HEAD.encode() + b'2026-11-20,"' + b"x" * 200_000 + b'",b,1,1\n', "Line 2: field larger than field limit"),
        (HEAD.encode() + b"2026-11-20,a,b,1,1\n" * 100_000, "send the file in parts"),
    ],
    ids=["empty", "not_utf8", "column_missing", "nul", "short_line", "huge_field", "too_many_lines"],
)
def test_a_file_that_cannot_be_read_is_refused_in_one_sentence(body: bytes, sentence: str) -> None:
    with pytest.raises(SpendInvalid, match=sentence) as caught:
        read_csv(body, currency="RUB")
    assert len(str(caught.value).splitlines()) == 1
