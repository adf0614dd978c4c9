"""The pages: deals, one card, the app; and what their buttons post."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from sandbox.admin import plain_json
from sandbox.bitrix24 import deeds, install
from sandbox.bitrix24.dictionaries import stages
from sandbox.bitrix24.errors import Refusal
from sandbox.bitrix24.frame import MAIN, Frame, make_frame
from sandbox.bitrix24.model import CODES, DEAL, KIND_OF_CODE, Item, Placement
from sandbox.bitrix24.page.lines import hidden, shown
from sandbox.bitrix24.portal import Portal
from sandbox.bitrix24.schema import STAGED, money_text

USER_COOKIE = "sandbox_user"
HERE = Path(__file__).parent
SCRIPTS = {"/api/v1/": "bx24.js", "/bitrix/js/frames.js": "frames.js"}
Page = Callable[[Request], Awaitable[Response]]


class Pages:
    """Draws the pages of one portal and does what their buttons ask."""

    def __init__(self, portal: Portal) -> None:
        self.portal = portal
        self._templates = Environment(
            loader=FileSystemLoader(HERE / "templates"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
        )
        self._templates.filters |= {"money": money_text}

    def routes(self) -> list[Route]:
        """Returns the routes of pages, scripts and buttons."""
        scripts = [Route(path, _script(name), methods=["GET"]) for path, name in SCRIPTS.items()]
        return [
            *scripts,
            Route("/", self.home, methods=["GET"]),
            Route("/marketplace/app/", self.app, methods=["GET"]),
            Route("/crm/{kind}/details/{id:int}/", self.card, methods=["GET"]),
            Route("/do/{deed}", self.do, methods=["POST"]),
        ]

    def _draw(self, request: Request, template: str, frames: list[Frame], **told: Any) -> Response:
        me = self._me(request)
        shown = [
            {
                "name": "|".join(one.sid_parts),
                "url": one.url,
                "fields": one.fields,
                "facts": {"admin": me.is_admin, "lang": "ru", "install": not self._is_finished()},
            }
            for one in frames
        ]
        page = self._templates.get_template(template)
        return HTMLResponse(page.render(portal=self.portal, me=me, frames=shown, **told))

    def _me(self, request: Request) -> Any:
        said = request.cookies.get(USER_COOKIE, "")
        return self.portal.users.get(int(said) if said.isdecimal() else 0) or self.portal.users[1]

    def _is_finished(self) -> bool:
        return self.portal.installation is not None and self.portal.installation.finished

    async def home(self, request: Request) -> Response:
        """The deals, the newest first."""
        deals = sorted(self.portal.store.items[DEAL].values(), key=lambda one: -one.id)
        names = {one.status_id: one.name for one in self.portal.statuses}
        return self._draw(request, "home.html", [], deals=deals, stage_names=names)

    async def card(self, request: Request) -> Response:
        """One CRM object with the app's tabs; a tab is loaded when it is opened."""
        kind = KIND_OF_CODE.get(request.path_params["kind"].upper())
        item = self.portal.store.find((kind or 0, request.path_params["id"]))
        if item is None:
            return HTMLResponse(self._templates.get_template("missing.html").render(), status_code=404)
        tabs = self._tabs(item)
        frames = [self._frame(request, one, item) for one in tabs]
        kinds = item.kind in STAGED
        line = stages(self.portal, item.kind, int(item.values.get("categoryId") or 0)) if kinds else []
        comments = [one for one in self.portal.store.comments.values() if one.owner == (item.kind, item.id)]
        titles = [_title(one) for one in tabs]
        code = CODES[item.kind].lower()
        told = {"stages": line, "comments": comments, "shown": shown(self.portal, item), "hidden": hidden(item)}
        return self._draw(request, "card.html", frames, item=item, titles=titles, code=code, **told)

    def _tabs(self, item: Item) -> list[Placement]:
        code = f"CRM_{CODES[item.kind]}_DETAIL_TAB"
        return [one for one in self.portal.placements if one.placement == code] if self._is_finished() else []

    def _frame(self, request: Request, tab: Placement, item: Item) -> Frame:
        options = {"ID": str(item.id), "URI": request.url.path}
        return make_frame(self.portal, self._me(request).id, tab.handler, base_of(request), tab.placement, options)

    async def app(self, request: Request) -> Response:
        """The app's page, or its installer until the installation is finished."""
        installed, app, me = self.portal.installation, self.portal.app, self._me(request)
        if installed is None:
            return self._draw(request, "app.html", [], said="Приложение не установлено.")
        if not installed.finished and not me.is_admin:
            return self._draw(request, "app.html", [], said="Приложение установлено не до конца.")
        url = app.app_url if installed.finished else app.installer_url
        frame = make_frame(self.portal, me.id, url, base_of(request), MAIN)
        return self._draw(request, "app.html", [frame], said="")

    async def do(self, request: Request) -> Response:
        """A button: does the deed as whoever sits at the screen, and goes back to where it was pressed."""
        form = {name: str(value) for name, value in (await request.form()).items()}
        deed = request.path_params["deed"]
        try:
            self._did(deed, form, self._me(request).id, base_of(request))
        except (KeyError, ValueError, Refusal) as refused:
            return plain_json({"error": str(refused)}, 400)
        back = form.get("back", "/")
        answer = RedirectResponse(back if back.startswith("/") and not back.startswith("//") else "/", 303)
        if deed == "user":
            answer.set_cookie(USER_COOKIE, form["id"])
        return answer

    def _did(self, deed: str, form: dict[str, str], user_id: int, base: str) -> None:
        portal = self.portal
        sent: dict[str, Any] = {**form, "user_id": user_id}
        if "id" in form:
            sent["id"] = int(form["id"])
        if deed == "move":
            deeds.move(portal, sent, base)
        elif deed == "amount":
            deeds.set_amount(portal, {**sent, "minor": round(float(form["amount"].replace(",", ".")) * 100)}, base)
        elif deed == "delete":
            deeds.delete(portal, sent, base)
        elif deed == "install":
            install.begin(portal, user_id)
            install.send_on_install(portal, user_id, base)
        elif deed == "finish":
            portal.installed.finished = True
        elif deed == "uninstall":
            install.uninstall(portal, sent, base)
        elif deed != "user":
            raise KeyError(deed)


def base_of(request: Request) -> str:
    """Returns the address the browser used."""
    return f"{request.url.scheme}://{request.headers.get('host', '127.0.0.1')}"


def _title(tab: Placement) -> str:
    told = (tab.lang_all.get("ru", {}).get("TITLE"), tab.title, *(texts["TITLE"] for texts in tab.lang_all.values()))
    return next((one for one in told if one), tab.placement)


def _script(name: str) -> Page:
    text = (HERE / name).read_text(encoding="utf-8")

    async def give(request: Request) -> Response:
        return Response(text, media_type="text/javascript")

    return give
