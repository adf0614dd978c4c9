"""aioamocrm, unmodified, over loopback HTTP: tokens, their rotation, and what it reads from refusals and faults."""

import asyncio
from collections.abc import Callable

import pytest
from aioamocrm import (
    AmoCRMClient,
    AmoCRMError,
    AuthError,
    Contact,
    ForbiddenError,
    Lead,
    LongLivedToken,
    MemoryTokenStorage,
    NetworkError,
    NotFoundError,
    OAuth2,
    PaymentRequiredError,
    RateLimiter,
    RateLimitError,
    ServerError,
    TokenSet,
    ValidationError,
)

from tests.sandbox.loopback import Live

DAY = 86_400
TOKEN = "/oauth2/access_token"
Connect = Callable[[MemoryTokenStorage], AmoCRMClient]


@pytest.fixture
def connect(live: Live, clock) -> Connect:
    """A client of the integration with the tokens of a storage, on the sandbox's clock."""

    def client(storage: MemoryTokenStorage) -> AmoCRMClient:
        names = ("client_id", "client_secret", "redirect_uri")
        auth = OAuth2(**{name: live.keys[name] for name in names}, storage=storage, clock=clock)
        return AmoCRMClient(auth=auth, base_url=live.base_url, rate_limit=None)

    return client


@pytest.fixture
def granted(live: Live, clock) -> TokenSet:
    """The integration's first pair."""
    return TokenSet(live.keys["access_token"], live.keys["refresh_token"], clock() + DAY)


async def test_a_code_becomes_a_pair_once(live: Live, connect: Connect, clock) -> None:
    code, storage = live.sandbox.account.tokens.new_code(live.sandbox.account.admin.id), MemoryTokenStorage()
    async with connect(storage) as amo:
        tokens = await amo.exchange_code(code)
        account = await amo.account.get()
        with pytest.raises(AuthError) as again:
            await amo.exchange_code(code)
    assert (tokens.token_type, tokens.expires_at) == ("Bearer", clock() + DAY)
    assert await storage.load() == tokens
    assert account.id == live.keys["account_id"]
    assert again.value.status_code == 400
    assert set(again.value.body) == {"hint", "title", "type", "status", "detail"}


async def test_a_pair_rotates_before_its_day_is_over_and_the_old_one_is_dead(
    live: Live, connect: Connect, granted: TokenSet, clock
) -> None:
    storage = MemoryTokenStorage(granted)
    async with connect(storage) as amo, connect(MemoryTokenStorage(granted)) as late:
        await amo.account.get()
        clock.forward(DAY - 30)
        account = await amo.account.get()
        with pytest.raises(AuthError) as refused:
            await late.account.get()
    fresh = await storage.load()
    assert account.id == live.keys["account_id"]
    assert fresh.refresh_token != granted.refresh_token
    assert fresh.expires_at == clock() + DAY
    assert (refused.value.status_code, refused.value.body["hint"]) == (401, "Token has been revoked")
    assert [row.status for row in live.asked("POST", TOKEN)] == [200, 401]


async def test_requests_made_together_share_one_refresh(live: Live, connect: Connect, granted: TokenSet, clock) -> None:
    clock.forward(DAY)
    async with connect(MemoryTokenStorage(granted)) as amo:
        accounts = await asyncio.gather(*(amo.account.get() for _ in range(10)))
    assert {account.id for account in accounts} == {live.keys["account_id"]}
    assert [row.status for row in live.asked("POST", TOKEN)] == [200]
    assert [row.status for row in live.asked("GET", "/account")] == [200] * 10


async def test_a_401_in_mid_life_costs_one_refresh_and_one_lead(
    live: Live, connect: Connect, granted: TokenSet
) -> None:
    live.sandbox.dial.turn({"prescription": {"7f3a": ["token_expired"]}})
    async with connect(MemoryTokenStorage(granted)) as amo:
        (ref,) = await amo.leads.create([Lead(name="hub:7f3a")])
        lead = await amo.leads.get(ref.id)
    assert lead.name == "hub:7f3a"
    assert [row.status for row in live.asked("POST")] == [401, 200, 200]


async def test_a_revoked_integration_is_refused_after_one_refresh(
    live: Live, connect: Connect, granted: TokenSet
) -> None:
    live.sandbox.account.tokens.revoke()
    async with connect(MemoryTokenStorage(granted)) as amo:
        with pytest.raises(AuthError) as refused:
            await amo.account.get()
    assert refused.value.status_code == 401
    assert [(row.method, row.status) for row in live.asked()] == [("GET", 401), ("POST", 401)]


async def test_a_long_lived_token_ends_without_a_refresh(live: Live, amo: AmoCRMClient, clock) -> None:
    clock.forward(DAY)
    with pytest.raises(AuthError) as refused:
        await amo.account.get()
    assert (refused.value.title, refused.value.detail) == ("Unauthorized", "Неверный логин или пароль")
    assert refused.value.body["type"] == "https://httpstatus.es/401"
    assert live.asked("POST") == []


async def test_at_its_own_pace_the_client_meets_no_429(live: Live, clock) -> None:
    async def sleep(seconds: float) -> None:
        clock.forward(seconds + 0.001)  # a sleeper wakes a little late, never early

    live.sandbox.dial.turn({"limiter": True})
    pace = RateLimiter(clock=clock, sleep=sleep)
    async with AmoCRMClient(
        auth=LongLivedToken(live.keys["access_token"]), base_url=live.base_url, rate_limit=pace
    ) as amo:
        for _ in range(30):
            await amo.account.get()
    assert {row.status for row in live.asked()} == {200}


async def test_reads_are_repeated_after_429_and_500(live: Live, amo: AmoCRMClient) -> None:
    live.sandbox.dial.turn({"prescription": {"hub-7f3a": ["429", "500", "html_error"]}})
    page = await amo.leads.get_page(query="hub-7f3a")
    assert len(page) == 0
    assert [row.status for row in live.asked()] == [429, 500, 502, 204]


async def test_a_write_refused_with_429_is_repeated_only_on_request(live: Live, amo: AmoCRMClient) -> None:
    live.sandbox.dial.turn({"prescription": {"7f3a": ["429", "429"]}})
    with pytest.raises(RateLimitError):
        await amo.leads.create([Lead(name="hub:7f3a")])
    await amo.leads.create([Lead(name="hub:7f3a")], retry=True)
    assert [row.status for row in live.asked()] == [429, 429, 200]


async def test_the_client_does_not_understand_the_wait_in_the_body_of_a_429(live: Live, amo: AmoCRMClient) -> None:
    """Sheet 2 and 5.4: `retry_after` is in the body and no header is documented; the client looks at the header."""
    live.sandbox.dial.turn({"rates": {"429": 1}})
    with pytest.raises(RateLimitError) as in_body:
        await amo.leads.create([Lead()])
    live.sandbox.dial.turn({"retry_after_header": True})
    with pytest.raises(RateLimitError) as in_header:
        await amo.account.get()
    assert (in_body.value.retry_after, in_body.value.body["retry_after"]) == (None, 300)
    assert in_header.value.retry_after == 300


async def test_a_flaw_names_its_item_its_path_and_its_code_and_nothing_is_stored(live: Live, amo: AmoCRMClient) -> None:
    bad = Lead(name="Плохая", status_id=1, custom_fields_values=[{"field_id": 1, "values": [{"value": "x"}]}])
    with pytest.raises(ValidationError) as refused:
        await amo.leads.create([Lead(name="Хорошая"), bad])
    told = {(issue.request_id, issue.path, issue.code) for issue in refused.value.errors}
    assert refused.value.status_code == 400
    assert told == {
        ("1", "status_id", "NotSupportedChoice"),
        ("1", "custom_fields_values.0.field_id", "NotSupportedChoice"),
    }
    assert len(await amo.leads.get_page()) == 0


async def test_a_flaw_of_a_later_batch_leaves_the_earlier_ones(live: Live, amo: AmoCRMClient) -> None:
    three = [Lead(name="Первая"), Lead(name="Вторая"), {"name": 3}]
    with pytest.raises(ValidationError) as refused:
        await amo.leads.create(three, batch_size=2)
    kept = await amo.leads.get_page()
    (issue,) = refused.value.errors
    assert (issue.request_id, issue.path, issue.code) == ("0", "name", "InvalidType")
    assert refused.value.batch_offset == 2
    assert [ref.id for ref in refused.value.completed] == [lead.id for lead in kept]


async def test_a_chosen_value_that_is_not_in_the_list_is_named_by_its_place(amo: AmoCRMClient) -> None:
    contact = Contact(name="Иван")
    contact.set_field("PHONE", "+79161234567", enum_code="PAGER")
    with pytest.raises(ValidationError) as refused:
        await amo.contacts.create([contact])
    assert [issue.path for issue in refused.value.errors] == ["custom_fields_values.0.values.0.enum_code"]


async def test_too_many_and_none_at_all_are_refused_without_issues(amo: AmoCRMClient) -> None:
    with pytest.raises(ValidationError) as many:
        await amo.request("POST", "leads", json=[{}] * 251)
    with pytest.raises(ValidationError) as none:
        await amo.request("POST", "leads", json=[])
    assert (many.value.status_code, many.value.detail, many.value.errors) == (422, "Limit 250 per page", [])
    assert (none.value.status_code, none.value.detail) == (400, "Request data can not be empty")


async def test_what_is_not_there_is_404_in_words(live: Live, amo: AmoCRMClient) -> None:
    with pytest.raises(NotFoundError) as pipeline:
        await amo.pipelines.get(1)
    with pytest.raises(NotFoundError) as path:
        await amo.request("GET", "example")
    assert (pipeline.value.status_code, pipeline.value.detail) == (404, "Pipeline not found")
    assert (path.value.title, path.value.detail) == ("Not Found", f"Cannot GET {live.api}/example")


async def test_an_unpaid_account_and_a_blocked_one_are_told_apart(live: Live, amo: AmoCRMClient) -> None:
    live.sandbox.dial.turn({"mode": "unpaid"})
    with pytest.raises(PaymentRequiredError) as unpaid:
        await amo.account.get()
    live.sandbox.dial.turn({"mode": "blocked"})
    with pytest.raises(ForbiddenError) as blocked:
        await amo.account.get()
    assert unpaid.value.detail == "Payment required"
    assert (blocked.value.title, "403 Forbidden" in blocked.value.body) == (None, True)


@pytest.mark.parametrize(("fault", "kind"), [("drop_after", NetworkError), ("504_after_commit", ServerError)])
async def test_a_write_whose_answer_is_lost_is_sent_once_and_stored(
    live: Live, amo: AmoCRMClient, fault: str, kind: type[AmoCRMError]
) -> None:
    live.sandbox.dial.turn({"prescription": {"7f3a": [fault]}})
    with pytest.raises(kind):
        await amo.leads.create([Lead(name="hub:7f3a")])
    assert len(live.asked("POST")) == 1
    assert [lead.name for lead in await amo.leads.get_page()] == ["hub:7f3a"]
