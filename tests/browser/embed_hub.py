"""The hub's side of the widget, as the contract of the embedded pages says; kept in one file so that a real hub can stand here.

It verifies the disposable token as a hub must (sheet 1.9), answers CORS, and plays what a test puts into it.
"""

import json
import struct
import threading
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import anyio
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OctKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

HUB = "https://hub.example.com"
ACCOUNT = "https://romashka.amocrm.ru"
CLIENT_ID = "0f7c0000-0000-4000-8000-000000000001"
CLIENT_SECRET = "a secret of thirty-two letters, and more"
LEEWAY_S = 60
NOW = 1_767_225_600


@dataclass
class Asked:
    """One request that came with a genuine token."""

    method: str
    path: str
    lang: str
    said: Any


def wav() -> bytes:
    """Eighty seconds of silence."""
    sound = b"\x80" * 8_000 * 80
    head = struct.pack("<4sI4s4sIHHIIHH4sI", b"RIFF", 36 + len(sound), b"WAVE", b"fmt ", 16, 1, 1, 8_000, 8_000, 1, 8, b"data", len(sound))  # fmt: skip
    return head + sound


@dataclass
class EmbedHub:
    """A hub that knows what a test told it; ``refuse`` maps a path to a status and what is answered with it."""

    state: dict[str, Any] = field(default_factory=dict)
    cards: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    corrected: dict[str, Any] = field(
        default_factory=dict
    )  # "POST 31", "POST None" or "DELETE" -> the enquiry afterwards
    tested: dict[str, Any] = field(default_factory=lambda: {"ok": True, "sentence": "Аккаунт отвечает."})
    refuse: dict[str, tuple[int, Any]] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    gates: dict[str, threading.Event] = field(default_factory=dict)
    origin: str = ACCOUNT
    admin: bool = True

    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/embed/amocrm/state", self.door(self.on_state), methods=["GET", "OPTIONS"]),
                Route("/embed/amocrm/scenario", self.door(self.on_scenario), methods=["POST", "OPTIONS"]),
                Route("/embed/amocrm/test", self.door(self.on_test), methods=["POST", "OPTIONS"]),
                Route("/embed/amocrm/cards/{kind}/{id:int}", self.door(self.on_card), methods=["GET", "OPTIONS"]),
                Route("/embed/amocrm/enquiries/{id:int}/visit", self.door(self.on_visit), methods=["POST", "DELETE", "OPTIONS"]),
                Route("/recordings/{name}", self.recording),
                Route("/connect", self.connect),
            ]
        )  # fmt: skip

    def paths(self) -> list[str]:
        return [f"{one.method} {one.path}" for one in self.asked]

    def door(self, answer: Callable[[Request, Any], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
        async def guarded(request: Request) -> Response:
            if request.method == "OPTIONS":
                response: Response = Response(status_code=204)
            elif refused := self.token_refused(request.headers.get("x-auth-token", "")):
                response = JSONResponse({"error": refused}, 401)
            else:
                response = await self.answered(request, answer)
            if request.headers.get("origin") == self.origin:
                response.headers["access-control-allow-origin"] = self.origin
                response.headers["access-control-allow-headers"] = "x-auth-token, content-type"
                response.headers["access-control-allow-methods"] = "GET, POST, DELETE"
                response.headers["vary"] = "origin"
            return response

        return guarded

    async def answered(self, request: Request, answer: Callable[[Request, Any], Awaitable[Response]]) -> Response:
        path = request.url.path.removeprefix("/embed/amocrm/")
        body = await request.body()
        said = json.loads(body) if body else None
        self.asked.append(Asked(request.method, path, request.query_params["lang"], said))
        if path in self.gates:
            await anyio.to_thread.run_sync(self.gates[path].wait, 15)
        if path in self.refuse:
            status, told = self.refuse[path]
            return (
                Response(told, status, media_type="text/html") if isinstance(told, str) else JSONResponse(told, status)
            )
        return await answer(request, said)

    def token_refused(self, token: str) -> str:
        """Return why a disposable token is not taken, empty where it is."""
        try:
            claims = jwt.decode(token, OctKey.import_key(CLIENT_SECRET), algorithms=["HS256"]).claims
        except (JoseError, ValueError):
            return "Ключ amoCRM не подошёл к этому хабу."
        fits = (
            claims["aud"] == HUB
            and claims["iss"] == f"https://{claims['subdomain']}.amocrm.ru"
            and claims["client_uuid"] == CLIENT_ID
            and claims["nbf"] - LEEWAY_S <= NOW < claims["exp"] + LEEWAY_S
        )
        return "" if fits else "Ключ amoCRM выписан не для этого хаба или устарел."

    async def on_state(self, request: Request, said: Any) -> Response:
        return JSONResponse(self.state)

    async def on_scenario(self, request: Request, said: Any) -> Response:
        if not self.admin:
            return JSONResponse({"error": "Сценарий меняет только администратор аккаунта."}, 403)
        for one in self.state["scenarios"]:
            one["chosen"] = one["id"] == said["id"]
        return JSONResponse(self.state)

    async def on_test(self, request: Request, said: Any) -> Response:
        return JSONResponse(self.tested)

    async def on_card(self, request: Request, said: Any) -> Response:
        key = f"{request.path_params['kind']}/{request.path_params['id']}"
        return JSONResponse({"enquiries": self.cards.get(key, [])})

    async def on_visit(self, request: Request, said: Any) -> Response:
        key = "DELETE" if request.method == "DELETE" else f"POST {said['visit']}"
        return JSONResponse(self.corrected[key])

    async def recording(self, request: Request) -> Response:
        if request.path_params["name"] == "gone.wav":
            return Response(status_code=404)
        return Response(wav(), media_type="audio/wav")

    async def connect(self, request: Request) -> Response:
        return Response("<title>Connect</title>", media_type="text/html")


# -- what it may know


def enquiry(**other: Any) -> dict[str, Any]:
    """A call whose visitor is known for sure."""
    told: dict[str, Any] = {
        "id": 12,
        "kind": "call",
        "kind_words": "Звонок",
        "at": "2026-11-20T09:30:00+03:00",
        "at_words": "20 ноября, 9:30",
        "headline": "Яндекс.Директ / okna-msk",
        "source": [
            {"name": "Источник", "value": "yandex / cpc"},
            {"name": "Кампания", "value": "okna-msk"},
            {"name": "Ключевая фраза", "value": "пластиковые окна цена"},
            {"name": "Посадочная страница", "value": "/okna", "url": "https://okna.example.com/okna"},
        ],
        "confidence": {
            "level": "sure",
            "words": "Уверены: номер был показан только этому посетителю",
            "percent": 98,
        },
        "path": [
            {"at_words": "9:12", "title": "/okna", "url": "https://okna.example.com/okna"},
            {"at_words": "9:16", "title": "/okna/tri-stvorki", "url": "https://okna.example.com/okna/tri-stvorki"},
            {"at_words": "9:21", "title": "/kontakty", "url": "https://okna.example.com/kontakty"},
        ],
        "call": {
            "answered": True,
            "talk_words": "1 мин 20 с",
            "number": "+7 495 111-00-01",
            "recording": f"{HUB}/recordings/12.wav",
        },
        "candidates": [
            {"visit": 31, "words": "14 минут до звонка, Яндекс.Директ / okna-msk", "chosen": True},
            {"visit": 30, "words": "26 минут до звонка, Google / органика", "chosen": False},
        ],
        "corrected": False,
    }
    return told | other


def state(**other: Any) -> dict[str, Any]:
    """An account that is connected and lacks one thing."""
    told: dict[str, Any] = {
        "standing": "connected",
        "sentence": "Аккаунт подключён, звонки становятся сделками.",
        "to_do": "",
        "connect_url": None,
        "account": {"id": "31000001", "name": "Окна Ромашка"},
        "checks": [
            {"ok": True, "what": "Права администратора есть", "to_do": ""},
            {"ok": True, "what": "Поля источника созданы", "to_do": ""},
            {
                "ok": False,
                "what": "Неразобранное выключено в воронке «Продажи»",
                "to_do": "Включите его в настройках воронки, если хотите разбирать обращения вручную.",
            },
        ],
        "scenarios": [
            {"id": "1", "name": "Звонок становится сделкой, ответственный тот, кто ответил", "chosen": True},
            {"id": "2", "name": "Всё попадает в «Неразобранное»", "chosen": False},
        ],
    }
    return told | other


NOBODY = {
    "standing": "nobody",
    "sentence": "Хаб ещё не подключён к этому аккаунту.",
    "to_do": "Нажмите «Подключить» и войдите в свой хаб: это займёт минуту.",
    "connect_url": f"{HUB}/connect?account=31000001",
    "account": {"id": "31000001", "name": "Окна Ромашка"},
    "checks": [],
    "scenarios": [],
}
