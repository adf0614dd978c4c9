"""An amoCRM account as a browser sees it: a page of a card or of a widget's settings, and the files of the built package."""

import json
import zipfile
from dataclasses import dataclass, field
from importlib.metadata import distribution
from io import BytesIO
from pathlib import Path
from typing import Any

from joserfc import jwt
from joserfc.jwk import OctKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route

from connectors.amocrm.package import build
from connectors.packaging import PackageAsked
from connectors.protocol import App
from tests.browser.embed_hub import ACCOUNT, CLIENT_ID, CLIENT_SECRET, HUB, NOW

RUNTIME = Path(__file__).with_name("amocrm_runtime.js")
JQUERY = Path(str(distribution("xstatic-jquery").locate_file("xstatic/pkg/jquery/data/jquery.js")))
_TYPES = {"js": "text/javascript", "css": "text/css", "json": "application/json", "png": "image/png"}
_CARD = """<div class="sheet"><div class="deal"><h1>{title}</h1><p class="stage">{under}</p>
<dl class="fields">{fields}</dl></div><aside id="widgets"></aside></div>"""
_SETTINGS = """<div class="veil"><div class="modal"><div class="modal-head"><img src="/widgets/cthub/images/logo_small.png" alt="">
<h2>CallTracking Hub</h2></div><div class="widget-settings__fields"><div id="cthub_custom_content"></div>
<input type="hidden" id="cthub_custom" name="standing"></div><button class="js-widget-save">{save}</button></div></div>"""
_STYLE = """body { margin: 0; font: 15px/1.4 'PT Sans', 'Liberation Sans', Arial, sans-serif; background: #f5f5f5; color: #313942; }
.sheet { display: flex; min-height: 100vh; } .deal { flex: 1; padding: 24px 28px; background: #fff; border-right: 1px solid #e8eaeb; }
.deal h1 { margin: 0 0 4px; font-size: 22px; } .stage { margin: 0 0 18px; color: #6b6d72; } dl.fields { display: grid; grid-template-columns: 9em 1fr; gap: 10px; margin: 0; }
dl.fields dt { color: #92989b; } dl.fields dd { margin: 0; } #widgets { width: 320px; padding: 16px; box-sizing: border-box; }
.card-widgets__widget { background: #fff; border: 1px solid #e8eaeb; border-radius: 4px; overflow: hidden; }
.card-widgets__caption { display: flex; align-items: center; gap: 8px; padding: 8px 12px; border-bottom: 1px solid #e8eaeb; font-weight: bold; }
.card-widgets__caption img { width: 26px; } .veil { display: flex; justify-content: center; padding: 32px; background: #dfe3e8; min-height: 100vh; box-sizing: border-box; }
.modal { width: 560px; align-self: flex-start; background: #fff; border-radius: 6px; padding: 24px 32px; } .modal-head { display: flex; align-items: center; gap: 14px; }
.modal-head img { width: 48px; } .modal h2 { font-size: 20px; } .js-widget-save { margin-top: 16px; padding: 9px 24px; border: 0; border-radius: 3px; background: #4c8bf7; color: #fff; font: inherit; }"""
_PAGE = """<!doctype html><html lang="{lang}"><head><meta charset="utf-8"><title>amoCRM</title><style>{style}</style></head><body>{body}
<script>window.scene = {scene};</script><script src="/jquery.js"></script><script src="/runtime.js"></script>
<script src="/widgets/cthub/script.js"></script><script>card.open();</script></body></html>"""
_FIELDS = {
    "leads": ("Звонок +7 916 123-45-67", "Продажи · Первичный контакт", {"Бюджет": "84 000 ₽", "Ответственный": "Мария Иванова", "Контакт": "Анна"}),
    "contacts": ("Анна", "Контакт", {"Телефон": "+7 916 123-45-67", "Ответственный": "Мария Иванова"}),
    "companies": ("ООО «Ромашка»", "Компания", {"Телефон": "+7 495 000-00-00"}),
}  # fmt: skip


def package() -> dict[str, bytes]:
    """The files of the package as it is built for this hub."""
    app = App(CLIENT_ID, CLIENT_SECRET, f"{HUB}/oauth/amocrm/callback")
    with zipfile.ZipFile(BytesIO(build(PackageAsked(HUB, app, ("ru", "en"), "1.0.0")))) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@dataclass
class Account:
    """Which page it shows, and with which key it signs disposable tokens."""

    area: str = "leads_card"
    entity: str = "leads"
    card: int = 21_000_001
    lang: str = "ru"
    install: str = "installed"
    passes: bool = True
    secret: str = CLIENT_SECRET
    files: dict[str, bytes] = field(default_factory=package)

    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/", self.page),
                Route("/token", self.token),
                Route("/jquery.js", self.jquery),
                Route("/runtime.js", self.runtime),
                Route("/widgets/cthub/{name:path}", self.file),
            ]
        )

    def settings(self) -> None:
        self.area, self.entity = "settings", ""

    def contact(self) -> None:
        self.area, self.entity = "contacts_card", "contacts"

    async def page(self, request: Request) -> Response:
        body = _SETTINGS.format(save="Сохранить" if self.lang == "ru" else "Save")
        if self.area != "settings":
            title, under, fields = _FIELDS[self.entity]
            told = "".join(f"<dt>{name}</dt><dd>{value}</dd>" for name, value in fields.items())
            body = _CARD.format(title=title, under=under, fields=told)
        return HTMLResponse(_PAGE.format(lang=self.lang, style=_STYLE, body=body, scene=json.dumps(self.scene())))

    def scene(self) -> dict[str, Any]:
        told = {name: getattr(self, name) for name in ("area", "entity", "card", "lang", "install", "passes")}
        return told | {"texts": json.loads(self.files[f"i18n/{self.lang}.json"])}

    async def token(self, request: Request) -> Response:
        times = {"iat": NOW, "nbf": NOW, "exp": NOW + 1_800}
        whose = {"account_id": 31_000_001, "subdomain": "romashka", "user_id": 7, "client_uuid": CLIENT_ID}
        claims = {"iss": ACCOUNT, "aud": HUB, "jti": "5b0f", **times, **whose}
        return PlainTextResponse(jwt.encode({"alg": "HS256"}, claims, OctKey.import_key(self.secret)))

    async def jquery(self, request: Request) -> Response:
        return Response(JQUERY.read_bytes(), media_type="text/javascript")

    async def runtime(self, request: Request) -> Response:
        return Response(RUNTIME.read_bytes(), media_type="text/javascript")

    async def file(self, request: Request) -> Response:
        name = request.path_params["name"]
        found = self.files.get(name)
        return Response(found, media_type=_TYPES[name.rsplit(".", 1)[1]]) if found else Response(status_code=404)
