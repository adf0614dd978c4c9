"""amoCRM's moderation rules for a package, as far as a program can see them [8.1, 8.2, 8.6].

The rules stand by what they look at: the archive and its files here, pictures in ``moderation_images``, the manifest
and the texts in ``moderation_manifest`` and ``moderation_texts``, script and style sheet in ``moderation_code``.
"""

import re
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from io import BytesIO

from connectors.amocrm.moderation_code import code_flaws, style_flaws
from connectors.amocrm.moderation_images import image_flaws
from connectors.amocrm.moderation_manifest import Declared, manifest_flaws, read_manifest
from connectors.amocrm.moderation_texts import address_flaws, text_flaws
from connectors.packaging import Flaw

FILE_NAME = "widget.zip"
_LARGEST = 16 * 1024 * 1024  # ours: the vendor names no limit for the whole archive
_TEXT = re.compile(r".+\.(json|js|css|twig)")
_OBFUSCATED = re.compile(r"_0x[0-9a-f]{3,}|eval\(function\(p,a,c,k|\\x[0-9a-f]{2}\\x[0-9a-f]{2}\\x", re.IGNORECASE)
_LONGEST_LINE = 300


def check(name: str, archive: bytes) -> tuple[Flaw, ...]:
    """Return every rule the archive breaks, in the order of its files; none means it may be uploaded."""
    read = _read(archive)
    if isinstance(read, Flaw):
        return (read,)
    flaws = [] if name == FILE_NAME else [Flaw(name, "the archive has another name", f"exactly {FILE_NAME}")]
    flaws += _text_file_flaws(read)
    texts = {one: raw.decode("utf-8", "replace") for one, raw in read.items() if _TEXT.fullmatch(one)}
    declared = read_manifest(texts.get("manifest.json", ""))
    if isinstance(declared, Flaw):
        return (*flaws, declared)
    flaws += manifest_flaws(declared, texts)
    flaws += text_flaws(declared, texts)
    flaws += address_flaws(declared, texts)
    flaws += image_flaws(declared, read)
    flaws += code_flaws(texts)
    flaws += style_flaws(texts)
    flaws += _file_flaws(declared, read, texts)
    return tuple(sorted(flaws, key=lambda one: (one.file, one.line or 0)))


def _read(archive: bytes) -> Mapping[str, bytes] | Flaw:
    try:
        with zipfile.ZipFile(BytesIO(archive)) as opened:
            if sum(one.file_size for one in opened.infolist()) > _LARGEST:
                return Flaw(FILE_NAME, "the files are too large together", f"{_LARGEST // 2**20} MB")
            return {one.filename: opened.read(one) for one in opened.infolist() if not one.is_dir()}
    except (zipfile.BadZipFile, zlib.error, RuntimeError, NotImplementedError, ValueError, EOFError, OSError):
        return Flaw(FILE_NAME, "this cannot be read as a zip archive", "a zip archive without a password")


def _text_file_flaws(files: Mapping[str, bytes]) -> Iterator[Flaw]:
    for name, raw in files.items():
        if not _TEXT.fullmatch(name):
            continue
        if raw.startswith(b"\xef\xbb\xbf"):
            yield Flaw(name, "a byte order mark", "UTF-8 without it", 1)
        try:
            raw.decode("utf-8")
        except UnicodeDecodeError as error:
            yield Flaw(name, "this is not UTF-8", "UTF-8", raw[: error.start].count(b"\n") + 1)
        if b"\r" in raw:
            yield Flaw(
                name, "a line ends with \\r", "lines end with \\n alone", raw[: raw.index(b"\r")].count(b"\n") + 1
            )
        if name.endswith((".js", ".css")):
            yield from _unreadable(name, raw.decode("utf-8", "replace"))


def _unreadable(name: str, text: str) -> Iterator[Flaw]:
    for number, line in enumerate(text.splitlines(), 1):
        if len(line) > _LONGEST_LINE or _OBFUSCATED.search(line):
            yield Flaw(name, "this looks minified or obfuscated", f"readable code, lines up to {_LONGEST_LINE}", number)
            return


def _file_flaws(declared: Declared, files: Mapping[str, bytes], texts: Mapping[str, str]) -> Iterator[Flaw]:
    needed = {"manifest.json", "script.js", *(f"i18n/{code}.json" for code in declared.locales)}
    for name in sorted(needed - files.keys()):
        inner = next((one for one in files if one.endswith(f"/{name}")), None)
        yield Flaw(name, f"stands at {inner}" if inner else "is missing", "at the root of the archive")
    for name in files:
        if name not in needed | declared.images and not _used(name, texts.get("script.js", "")):
            yield Flaw(name, "nothing uses this file", "only files the widget uses")


def _used(name: str, script: str) -> bool:
    """Return whether the script names a style sheet or a template, the only other files of a package."""
    if name == "style.css":
        return name in script
    template = re.fullmatch(r"templates/(?:.*/)?([\w-]+)\.twig", name)
    return bool(template and re.search(rf"['\"/]{template[1]}(?:\.twig)?['\"]", script))
