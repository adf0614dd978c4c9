"""The package for amoCRM's marketplace: ``widget.zip``, made of the files in widget/ and of the panel [8.1].

The same request gives the same bytes: names in order, one moment for every file, pictures drawn by us.
"""

import hashlib
import hmac
import json
import re
import zipfile
from collections.abc import Mapping
from importlib.resources import files
from io import BytesIO
from textwrap import indent
from typing import Any

from connectors import panel
from connectors.amocrm.drawing import SIZES, picture
from connectors.amocrm.moderation import FILE_NAME, check
from connectors.packaging import PackageAsked, PackageRefused, Packaging
from connectors.protocol import App

LOCALES = ("ru", "en")
_MOMENT = (1980, 1, 1, 0, 0, 0)  # the earliest a zip file can write
_ADDRESS = re.compile(r"https://[a-z0-9.-]+\.[a-z]+(:\d+)?(/[\w./~%-]*)?", re.IGNORECASE | re.ASCII)
_LINK = re.compile(r"(https://|mailto:)[^\s'\"\\<>{}]+", re.ASCII)


def pipeline_secret(app: App) -> str:
    """Return the part of the digital pipeline's address that strangers cannot guess; amoCRM signs nothing there."""
    return hmac.new(app.client_secret.encode(), b"digital pipeline", hashlib.sha256).hexdigest()[:32]


def build(asked: PackageAsked) -> bytes:
    """Return the archive; raises PackageRefused for an address or language it cannot hold."""
    base = asked.base_url.rstrip("/")
    values = {
        "base_url": base,
        "version": asked.version,
        "support": asked.support or f"{base}/support",
        "privacy": asked.privacy or f"{base}/privacy",
        "pipeline": f"{base}/embed/amocrm/pipeline/{pipeline_secret(asked.app)}" if asked.app else "",
    }
    _refuse_unusable(asked, values)
    manifest = _manifest(asked, values)
    inside = {
        "manifest.json": _json(manifest),
        "script.js": _filled("script.js", {**values, "panel": _panel()}).encode(),
        "style.css": panel.text("panel.css").encode(),
        **{f"i18n/{code}.json": _json(_texts(code, values)) for code in asked.locales},
        **{f"images/{name}": picture(name) for name in SIZES if asked.app or name != "logo_dp.png"},
    }
    return _archive(inside)


def _refuse_unusable(asked: PackageAsked, values: Mapping[str, str]) -> None:
    if not _ADDRESS.fullmatch(values["base_url"]):
        raise PackageRefused(
            f"The address {asked.base_url} cannot be used: amoCRM wants https and a host name of Latin letters, "
            "as in https://hub.example.com."
        )
    for name in ("support", "privacy"):
        if not _LINK.fullmatch(values[name]):
            raise PackageRefused(f"The {name} link {values[name]} cannot be used: it begins with https:// or mailto:.")
    if not asked.locales or set(asked.locales) - set(LOCALES):
        raise PackageRefused(f"The widget speaks {' and '.join(LOCALES)}; asked was {', '.join(asked.locales) or '-'}.")
    if not re.fullmatch(r"\d+\.\d+\.\d+", asked.version):
        raise PackageRefused(f"The version {asked.version} cannot be used: three figures are, as in 1.0.0.")


def _filled(name: str, values: Mapping[str, str]) -> str:
    text = files("connectors.amocrm").joinpath("widget", name).read_text(encoding="utf-8")
    return re.sub(r"\{\{(\w+)\}\}", lambda found: values[found[1]], text)


def _panel() -> str:
    """Return the panel's script as it stands inside ours, indented by one step."""
    return indent(panel.text("panel.js"), "  ").strip()


def _texts(code: str, values: Mapping[str, str]) -> panel.Words:
    """Return the panel's texts and our own; where both have a sentence, ours speaks of amoCRM's window."""
    shared = panel.words(code)
    own: panel.Words = json.loads(_filled(f"i18n/{code}.json", values))
    return {section: {**shared.get(section, {}), **own.get(section, {})} for section in {**shared, **own}}


def _json(told: Mapping[str, Any]) -> bytes:
    return (json.dumps(told, indent=2, ensure_ascii=False) + "\n").encode()


def _manifest(asked: PackageAsked, values: Mapping[str, str]) -> dict[str, Any]:
    manifest: dict[str, Any] = json.loads(_filled("manifest.json", values))
    manifest["widget"]["locale"] = list(asked.locales)
    if not asked.app:  # without a secret anybody could post deals as goals
        manifest["locations"].remove("digital_pipeline")
        del manifest["dp"]
    return manifest


def _archive(inside: Mapping[str, bytes]) -> bytes:
    out = BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(inside):
            entry = zipfile.ZipInfo(name, _MOMENT)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, inside[name])
    return out.getvalue()


packaging = Packaging(file_name=FILE_NAME, build=build, check=check)
