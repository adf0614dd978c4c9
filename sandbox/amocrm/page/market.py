"""amoMarket: what an admin does with the account's integration."""

from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from sandbox.amocrm.consent import install, uninstall
from sandbox.amocrm.page.deeds import form_of
from sandbox.amocrm.page.views import Pages, back_to, base_of, user_of

MARKET = "/settings/widgets/"
MOST_DAYS = 5 * 365


def market_routes(pages: Pages) -> list[Route]:
    """Returns the addresses of amoMarket's buttons; all of them are an admin's."""
    account = pages.account

    def only_admins(request: Request) -> Response | None:
        if user_of(account, request).is_admin:
            return None
        return RedirectResponse(back_to(MARKET, said="admins_only"), 303)

    async def press_install(request: Request) -> Response:
        sent: dict[str, Any] = {"user_id": user_of(account, request).id}
        refused = only_admins(request)
        if refused is None:
            await install(account, sent, base_of(request))
        return refused or RedirectResponse(MARKET, 303)

    async def press_disable(request: Request) -> Response:
        refused = only_admins(request)
        if refused is None:
            await uninstall(account, {})
        return refused or RedirectResponse(MARKET, 303)

    async def long_token(request: Request) -> Response:
        refused = only_admins(request)
        if refused is not None:
            return refused
        said = (await form_of(request)).get("days", "")
        days = min(max(int(said) if said.isdecimal() else 1, 1), MOST_DAYS)
        user = user_of(account, request)
        token = account.tokens.new_long_lived(user.id, base_of(request), days * 86_400.0)
        return pages.draw(request, "market.html", token=token)

    return [
        Route("/do/install", press_install, methods=["POST"]),
        Route("/do/disable", press_disable, methods=["POST"]),
        Route("/do/long-token", long_token, methods=["POST"]),
    ]
