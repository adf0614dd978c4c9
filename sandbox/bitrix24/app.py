"""Composes the sandbox Bitrix24: one portal behind the gate, its control routes beside it."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import httpx
from starlette.applications import Starlette
from starlette.routing import Mount

from sandbox.admin import admin_routes
from sandbox.bitrix24.control import control_routes
from sandbox.bitrix24.install import begin
from sandbox.bitrix24.page.views import Pages
from sandbox.bitrix24.portal import Options, Portal
from sandbox.bitrix24.switches import SWITCHES
from sandbox.bitrix24.tokens import Pair
from sandbox.bitrix24.vendor import B24Vendor
from sandbox.clock import Clock
from sandbox.dial import Dial
from sandbox.gate import Gate
from sandbox.ledger import Ledger

ADMIN = 1


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
        self.portal = Portal(options, clock, self.dial, outgoing)
        if options.installed:
            begin(self.portal, ADMIN).finished = True
        gate = Gate(B24Vendor(self.portal), self.ledger, self.dial, clock)

        @asynccontextmanager
        async def lifespan(app: Starlette) -> AsyncIterator[None]:
            sending = asyncio.create_task(self.portal.sender.run())
            yield
            sending.cancel()
            await self.portal.sender.close()

        self.app = Starlette(
            routes=[
                *admin_routes(self.ledger, self.dial),
                *control_routes(self.portal),
                *Pages(self.portal).routes(),
                Mount("/", app=gate),
            ],
            lifespan=lifespan,
        )

    def greeting(self, base_url: str) -> dict[str, object]:
        """Returns the JSON line of a started sandbox: addresses, keys and, when installed, a first pair of tokens."""
        portal = self.portal
        installed = portal.installation
        pair = portal.tokens.new_pair(ADMIN) if installed else Pair("", "", 0, ADMIN)
        hook = portal.webhook
        return {
            "base_url": base_url,
            "client_id": portal.app.client_id,
            "client_secret": portal.app.client_secret,
            "redirect_uri": portal.app.redirect_uri,
            "access_token": pair.access,
            "refresh_token": pair.refresh,
            "application_token": installed.application_token if installed else "",
            "member_id": portal.member_id,
            "domain": portal.domain(base_url),
            "client_endpoint": portal.client_endpoint(base_url),
            "server_endpoint": portal.server_endpoint(base_url),
            "webhook_url": f"{portal.client_endpoint(base_url)}{hook.user_id}/{hook.code}/",
        }
