"""An enquiry as a card of the CRM shows it: where it came from, how sure we are, and what happened."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from hub.recordings import fetch_of
from hub.sentences import told
from hub.store import cards, corrections, person_path, story
from hub.store.console import Home, home_of
from hub.store.enquiry_rows import EnquiryRow
from hub.store.person_path import Path
from hub.store.recordings import recording_of
from hub.store.story import MatchMade, Story, VisitSeen
from hub.store.tx import Tx
from hub.store.vault import Vault
from hub.web import decided
from hub.web.console.formats import Formats
from hub.web.words import Words


@dataclass(frozen=True, slots=True)
class Known:
    """What the hub knows of one enquiry that a card shows."""

    story: Story
    path: Path | None
    landings: dict[int, str]
    corrected_by: str | None
    home: Home
    is_recorded: bool  # and the hub knows how to ask for the recording

    @property
    def match(self) -> MatchMade | None:
        """The match that holds now."""
        return next((made for made in self.story.matches if made.superseded_at is None), None)


def known(tx: Tx, tenant_id: int, enquiry_id: int, vault: Vault) -> Known | None:
    """Return what the hub knows of an enquiry; None when this tenant has no such one."""
    found = story.story(tx, tenant_id, enquiry_id, vault)
    if found is None:
        return None
    path = person_path.path_of(tx, tenant_id, enquiry_id)
    pages = cards.landings(tx, tenant_id, [seen.id for seen in path.visits] if path else [])
    by = corrections.corrector(tx, tenant_id, enquiry_id)
    kept = recording_of(tx, tenant_id, enquiry_id, vault) if found.enquiry.is_call else None
    is_recorded = kept is not None and fetch_of(kept) is not None
    return Known(found, path, pages, by, home_of(tx, tenant_id), is_recorded)


def of_card(tx: Tx, tenant_id: int, installation_id: int, card: tuple[str, str], vault: Vault) -> list[Known]:
    """Return what the hub knows of the enquiries of a card (kind, id), newest first."""
    ids = cards.enquiries_on(tx, tenant_id, installation_id, *card)
    return [found for enquiry_id in ids if (found := known(tx, tenant_id, enquiry_id, vault))]


def shown(of: Known, t: Words, recording: str | None) -> dict[str, Any]:
    """Return the enquiry as the card's page takes it, in the reader's language; ``recording`` is a link of ours."""
    return _Shown(of, t, Formats(t, of.home.zone, of.home.currency), recording).all()


@dataclass(frozen=True, slots=True)
class _Shown:
    of: Known
    t: Words
    f: Formats
    recording: str | None

    @property
    def one(self) -> EnquiryRow:
        return self.of.story.enquiry

    def all(self) -> dict[str, Any]:
        one = self.one
        return {
            "id": one.id,
            "kind": one.kind,
            "kind_words": self.t.of("enquiry_kind", one.kind),
            "at": self.f.local(one.at).isoformat(timespec="seconds"),
            "at_words": self.f.moment(one.at),
            "headline": self._headline(one.source, one.campaign) if one.is_matched else self.t("source.unknown"),
            "source": self._source(),
            "confidence": self._confidence(),
            "path": self._path(),
            "call": self._call() if one.is_call else None,
            "candidates": self._candidates(),
            "corrected": self.of.corrected_by is not None,
            "decided": [
                decided.sentence(sent.decision, sent.facts, self.t) for sent in self.of.story.sent if sent.decision
            ],
        }

    def _headline(self, source: str, campaign: str) -> str:
        return " / ".join(filter(None, (self.t.source(source), campaign)))

    def _source(self) -> list[dict[str, str]]:
        one, made = self.one, self.of.match
        rows: list[tuple[str, str, str]] = []
        if one.is_matched:
            rows.append(("source", self.t.source(one.source), ""))
            rows.append(("medium", self.t.of("channel", one.channel) if one.channel else "", ""))
            rows.append(("campaign", one.campaign, ""))
        if made and made.visit:
            region = self.t.region(made.visit.region) if made.visit.region else ""
            rows.append(("term", made.visit.term, ""))
            rows.append(("landing", _page(made.visit.landing), made.visit.landing))
            rows.append(("region", region, ""))
        rows.append(("placement", one.placement or "", ""))
        rows.append(("heard", one.heard, ""))
        return [self._row(*row) for row in rows if row[1]]

    def _row(self, name: str, value: str, url: str) -> dict[str, str]:
        return {"name": self.t(f"embed.{name}"), "value": value, **({"url": url} if _is_address(url) else {})}

    def _confidence(self) -> dict[str, Any]:
        one, made = self.one, self.of.match
        if one.is_matched:
            level, head = ("sure", "sure.certain") if one.is_certain else ("likely", "sure.probable")
            why = told(self.t.language, made.words) if made else ""
            return {"level": level, "words": f"{self.t(head)}: {why}", "percent": round(one.confidence * 100)}
        level = "unsure" if made and made.others else "unknown"
        why = told(self.t.language, made.words) if made and made.words else self.t("source.unknown_why")
        return {"level": level, "words": f"{self.t('sure.unknown')}: {why}", "percent": None}

    def _path(self) -> list[dict[str, Any]]:
        """Return the visits of the person up to the enquiry by the page each began on: more pages nobody tells us."""
        if self.of.path is None:
            return []
        return [
            {
                "at_words": self.f.beside(seen.started_at, self.one.at),
                "title": f"{_page(landing)} · {self._headline(seen.source, seen.campaign)}",
                "url": landing if _is_address(landing) else None,
            }
            for seen in self.of.path.visits
            if seen.started_at <= self.one.at
            for landing in (self.of.landings.get(seen.id, ""),)
        ]

    def _call(self) -> dict[str, Any]:
        one = self.one
        return {
            "answered": one.status == "answered",
            "talk_words": self.f.duration(one.talk_s) if one.talk_s else "",
            "number": self.f.phone(one.dialled),
            "recording": self.recording,
        }

    def _candidates(self) -> list[dict[str, Any]]:
        made = self.of.match
        if made is None or self.one.is_ours:
            return []
        named = [(made.visit, True)] if made.visit else []
        return [
            {"visit": seen.id, "words": self._seen(seen), "chosen": chosen}
            for seen, chosen in (*named, *((seen, False) for seen in made.others))
        ]

    def _seen(self, seen: VisitSeen) -> str:
        gone = self.one.at - seen.last_seen_at
        if gone <= timedelta(minutes=1):
            when = self.t("embed.on_site")
        else:
            when = self.t("embed.before", time=self.f.duration(int(gone.total_seconds())))
        return f"{when}, {self._headline(seen.source, seen.campaign)}"


def _page(url: str) -> str:
    """Return the path of a page, or what stands for it."""
    try:
        return urlsplit(url).path or url
    except ValueError:
        return url


def _is_address(url: str) -> bool:
    return url.startswith(("https://", "http://"))
