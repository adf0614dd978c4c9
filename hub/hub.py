"""What one process of the hub is made of."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial

from connectors.protocol import App, Connector
from hub.arrivals import Arrivals
from hub.clock import Clock
from hub.delivery.worker import Worker
from hub.doorbells import Doorbells
from hub.habits import HabitsLoop
from hub.inbox import InboxLoop
from hub.leaving import Leaving
from hub.ledger import Refusals, Sealer
from hub.places import Places
from hub.popups import PopUps
from hub.reconcile import Nights
from hub.reconcile_crm import Asker
from hub.recording_links import NoteLinks
from hub.round_trips import RoundTrips
from hub.settings import Settings
from hub.store.db import Db
from hub.store.vault import Vault
from tracking_core.numbering_plan import NO_PLAN, NumberingPlan


@dataclass(slots=True)
class Hub:
    """Everything one process of the hub is made of."""

    settings: Settings
    db: Db
    clock: Clock
    vault: Vault
    connectors: Mapping[str, Connector]
    apps: Mapping[str, App]
    places: Places = field(default_factory=Places)
    numbering: NumberingPlan = NO_PLAN
    inbox: InboxLoop = field(init=False)
    habits: HabitsLoop = field(init=False)
    worker: Worker = field(init=False)
    sealer: Sealer = field(init=False)
    nights: Nights = field(init=False)
    arrivals: Arrivals = field(init=False)
    leaving: Leaving = field(init=False)
    doorbells: Doorbells = field(init=False)
    popups: PopUps = field(init=False)
    round_trips: RoundTrips = field(init=False)
    refusals: Refusals = field(default_factory=Refusals)

    def __post_init__(self) -> None:
        db = self.db.patient()  # nobody out there waits for these to answer
        links = NoteLinks(self.settings.public_url, timedelta(days=self.settings.recording_link_days))
        self.inbox = InboxLoop(db, self.clock, self.vault, self.numbering, links)
        self.habits = HabitsLoop(db, self.clock, self.vault, self.numbering)
        kept = timedelta(days=self.settings.request_log_days)
        self.round_trips = RoundTrips(db, self.clock, self.vault, kept)
        self.worker = Worker(
            db=db,
            clock=self.clock,
            vault=self.vault,
            connectors=self.connectors,
            apps=self.apps,
            readback_every=timedelta(seconds=self.settings.readback_s),
            heard=self.round_trips.listener,
        )
        self.sealer = Sealer(db, self.clock, self.vault)
        self.nights = Nights(db, self.clock, self.vault, partial(Asker, self.worker))
        self.arrivals = Arrivals(db, self.clock, self.vault, self.connectors, self.apps, self.round_trips)
        self.leaving = Leaving(db, self.clock, self.vault)
        self.doorbells = Doorbells(self.worker, self.settings.public_url)
        self.popups = PopUps(self.worker)
        self.inbox.on_popup = self.popups.ask
        self.arrivals.on_linked = (self.worker.wake, self.doorbells.wake)
        self.inbox.on_planned = (self.worker.wake,)
