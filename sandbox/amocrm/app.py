"""Composes the sandbox amoCRM: one account behind the gate, its control routes beside it."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import httpx
from starlette.applications import Starlette
from starlette.routing import Mount

from sandbox.admin import admin_routes
from sandbox.amocrm.account import Account, Options
from sandbox.amocrm.control import control_routes
from sandbox.amocrm.page.deeds import deed_routes
from sandbox.amocrm.page.market import market_routes
from sandbox.amocrm.page.views import Pages
from sandbox.amocrm.switches import SWITCHES
from sandbox.amocrm.tokens import Pair
from sandbox.amocrm.vendor import AmoVendor
from sandbox.clock import Clock
from sandbox.dial import Dial
from sandbox.gate import Gate
from sandbox.ledger import Ledger


class Sandbox:
    """One running sandbox: the ASGI `app` and the parts tests and the CLI reach for."""

    def __init__(
        self,
        options: Options,
        clock: Clock,
        switches: Mapping[str, object] | None = None,
        outgoing: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self.dial = Dial(SWITCHES)
        self.dial.turn(switches or {})
        self.ledger = Ledger()
        self.account = Account(options, clock, self.dial, outgoing)
        pages = Pages(self.account)
        gate = Gate(AmoVendor(self.account), self.ledger, self.dial, clock)

        @asynccontextmanager
        async def lifespan(app: Starlette) -> AsyncIterator[None]:
            sending = asyncio.create_task(self.account.sender.run())
            yield
            sending.cancel()
            await self.account.sender.close()

        self.app = Starlette(
            routes=[
                *admin_routes(self.ledger, self.dial),
                *control_routes(self.account),
                *pages.routes(),
                *deed_routes(self.account),
                *market_routes(pages),
                Mount("/", app=gate),
            ],
            lifespan=lifespan,
        )

    def greeting(self, base_url: str) -> dict[str, object]:
        """Returns the JSON line of a started sandbox: addresses, keys and, when installed, a first pair of tokens."""
        account = self.account
        pair = account.tokens.new_pair(account.admin.id, base_url) if account.options.installed else Pair("", "")
        return {
            "base_url": base_url,
            "client_id": account.tokens.client_id,
            "client_secret": account.tokens.client_secret,
            "redirect_uri": account.options.redirect_uri,
            "access_token": pair.access,
            "refresh_token": pair.refresh,
            "account_id": account.id,
            "subdomain": account.subdomain,
        }
