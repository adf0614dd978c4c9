"""The pages themselves: GET only, nothing changes here."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from sandbox.amocrm.account import Account
from sandbox.amocrm.model import User
from sandbox.amocrm.page import shown
from sandbox.amocrm.page.words import LANGUAGES, Words
from sandbox.amocrm.store import CARD_KINDS, CLOSED, LEADS, LOST, WON, Card

USER_COOKIE, LANGUAGE_COOKIE = "sandbox_user", "sandbox_language"
_TEMPLATES = Path(__file__).parent / "templates"
View = Callable[[Request], Awaitable[Response]]


def base_of(request: Request) -> str:
    """Returns the address the browser used."""
    return f"{request.url.scheme}://{request.headers.get('host', '127.0.0.1')}"


def user_of(account: Account, request: Request) -> User:
    """Returns who sits at the screen: the chosen user, the admin at first."""
    said = request.cookies.get(USER_COOKIE, "")
    return account.users.get(int(said) if said.isdecimal() else 0) or account.admin


def words_of(request: Request) -> Words:
    """Returns the words of the chosen language."""
    return Words(request.cookies.get(LANGUAGE_COOKIE, LANGUAGES[0]))


class Pages:
    """Draws the pages of one account."""

    def __init__(self, account: Account) -> None:
        self.account = account
        self._templates = Environment(
            loader=FileSystemLoader(_TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True
        )
        self._templates.filters |= {"moment": shown.moment, "money": shown.money}

    def draw(self, request: Request, template: str, status: int = 200, **told: Any) -> Response:
        """Returns one page; `told` is what its template needs beside what all need."""
        account, words = self.account, words_of(request)
        page = self._templates.get_template(template).render(
            account=account,
            me=user_of(account, request),
            t=words,
            here=f"{request.url.path}?{request.url.query}",
            said=request.query_params.get("said", ""),
            q=request.query_params.get("q", ""),
            who=lambda user_id: shown.who(account, user_id, words),
            WON=WON,
            LOST=LOST,
            CLOSED=CLOSED,
            **told,
        )
        return HTMLResponse(page, status)

    async def board(self, request: Request) -> Response:
        """GET /: a pipeline as columns of cards."""
        said = request.query_params.get("pipeline", "")
        pipeline = self.account.pipelines.get(int(said) if said.isdecimal() else 0) or self.account.main_pipeline
        columns = shown.board(self.account, pipeline, request.query_params.get("q", ""))
        return self.draw(
            request,
            "board.html",
            pipeline=pipeline,
            columns=columns,
            incoming=shown.waiting(self.account),
            near=lambda card: shown.near(self.account, card),
        )

    async def card(self, request: Request) -> Response:
        """GET /leads/detail/{id} and the like, at amoCRM's own addresses."""
        kind, id_ = request.path_params["kind"], request.path_params["id"]
        card = self.account.store.shelves[kind].cards.get(id_)
        if card is None:
            return self.draw(request, "missing.html", 404)
        words = words_of(request)
        return self.draw(
            request,
            "card.html",
            card=card,
            pipeline=self.account.pipelines.get(card.pipeline_id),
            incoming=shown.waiting(self.account).get(card.id) if kind == LEADS else None,
            groups=shown.groups(self.account, card),
            near=shown.near(self.account, card),
            notes=shown.notes_of(self.account, card),
            tasks=shown.tasks_of(self.account, card),
            history=shown.history(self.account, card, words),
            recording=shown.recording,
            now=self.account.now(),
            others=_others(self.account, card),
        )

    async def people(self, request: Request) -> Response:
        """GET /contacts/list and /companies/list."""
        kind = request.path_params["kind"]
        cards = shown.listed(self.account, kind, request.query_params.get("q", ""))
        return self.draw(request, "list.html", kind=kind, cards=cards, phones=self._phones)

    async def trash(self, request: Request) -> Response:
        """GET /trash: deleted cards."""
        cards = [card for kind in CARD_KINDS for card in shown.listed(self.account, kind, "", deleted=True)]
        return self.draw(request, "list.html", kind="trash", cards=cards, phones=self._phones)

    async def market(self, request: Request) -> Response:
        """GET /settings/widgets/: amoMarket with the one integration."""
        return self.draw(request, "market.html", token="")

    async def language(self, request: Request) -> Response:
        """GET /language/{language}: remembers the language and goes back."""
        back = RedirectResponse(back_to(request.query_params.get("back", "/")), 303)
        back.set_cookie(LANGUAGE_COOKIE, request.path_params["language"], samesite="strict")
        return back

    def _phones(self, card: Card) -> str:
        field = self.account.fields[card.kind].by_code("PHONE")
        return ", ".join(str(raw["value"]) for raw in card.fields.get(field.id, ())) if field else ""

    def routes(self) -> list[Route]:
        """Returns the addresses of the pages."""
        doors: dict[str, View] = {
            "/": self.board,
            "/leads/": self.board,
            "/trash": self.trash,
            "/settings/widgets/": self.market,
            "/language/{language}": self.language,
        }
        return [
            *(Route(path, view, methods=["GET"]) for path, view in doors.items()),
            *(Route(f"/{kind}/detail/{{id:int}}", self._of(kind, self.card), methods=["GET"]) for kind in CARD_KINDS),
            *(
                Route(f"/{kind}/list", self._of(kind, self.people), methods=["GET"])
                for kind in CARD_KINDS
                if kind != LEADS
            ),
        ]

    def _of(self, kind: str, view: View) -> View:
        async def of_kind(request: Request) -> Response:
            request.path_params["kind"] = kind
            return await view(request)

        return of_kind


def _others(account: Account, card: Card) -> list[Card]:
    return [one for one in shown.listed(account, card.kind, "") if one is not card and not one.in_unsorted]


def back_to(path: str, **told: str) -> str:
    """Returns an address of these pages with a word about what happened; a foreign address becomes the root."""
    inside = path.startswith("/") and not path.startswith(("//", "/\\"))
    bare = path.split("?said=")[0].split("&said=")[0].rstrip("?") if inside else "/"
    return f"{bare}{'&' if '?' in bare else '?'}{urlencode(told)}" if told else bare
