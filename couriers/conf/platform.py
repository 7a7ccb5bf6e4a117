"""The platform's tunables: the keys of the SHIPCROWD dict in the settings, and their defaults."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

from couriers.conf.declaring import bounded, hidden_text

MAX_PAGE_SIZE = 200
MAX_THREADS = 64
MAX_WEB_THREADS = 1024
MAX_DAYS = 36_500
MAX_THROTTLE = 1_000_000


@dataclass(frozen=True, slots=True)
class Tunables:
    """The keys of SHIPCROWD. Times are seconds unless the name says days."""

    # The public address of the project's root, which couriers, consignees and clients are told. It
    # has a path where the project is served below one (SCRIPT_NAME).
    BASE_URL: str = ""
    # The bearer token for /metrics; without one it is closed, except in development.
    METRICS_TOKEN: str = hidden_text()
    PROMETHEUS_URL: str = ""  # its base URL; it is asked which alerts fire
    # Whether this is a machine for development, as with DEBUG: see in_development.
    DEVELOPMENT: bool = False
    # Whether a courier's server may be in a private network.
    ALLOW_PRIVATE_COURIERS: bool = False
    # The alias in CACHES of the Redis that all processes share.
    CACHE: str = "default"
    # How long a booking may be in flight before it is in doubt. It must be longer than every
    # adapter's max_create_seconds: nothing is sent in a lease's last max_create_seconds.
    BOOKING_LEASE: float = 150.0
    # How many unused numbers are kept for an account whose courier reserves numbers: below it,
    # batches are fetched up to twice as many. And for how long the courier may refuse a new one.
    RESERVED_IDS_AHEAD: int = bounded(100, minimum=1, maximum=100_000)
    RESERVED_ID_AGE: float = 600.0
    # How long an API request waits in sum before it answers 503: for the rate limiter, for another
    # request's token, and before a retry.
    API_LIMITER_WAIT: float = 2.0
    # The threads of a process of the web server. Calls of one account take at most half of them.
    WEB_THREADS: int = bounded(64, minimum=1, maximum=MAX_WEB_THREADS)
    # A request, and a call to a courier, that take longer are logged as slow.
    SLOW_REQUEST: float = 5.0
    SLOW_CALL: float = 5.0
    # How long a warehouse that a courier refused to register is not registered again.
    REGISTRATION_RETRY: float = 3600.0
    # Consecutive infrastructure failures that open a circuit, and how long it stays open.
    BREAKER_FAILURES: int = bounded(5, minimum=1)
    BREAKER_COOLDOWN: float = 60.0
    # The largest callback that is read, in bytes, and how long a process caches an account.
    WEBHOOK_MAX_BYTES: int = bounded(65536, minimum=1)
    WEBHOOK_ACCOUNT_CACHE: float = 10.0
    # How long the previous webhook secret is valid after it was replaced. A rotation, which has the
    # courier sign with the new one, must be over by then.
    WEBHOOK_PREVIOUS_SECRET_SECONDS: float = bounded(86400.0, minimum=600)
    # How many callbacks a worker takes at once, and how long a callback waits for its shipment.
    INBOX_BATCH: int = bounded(500, minimum=1)
    INBOX_EARLY_EVENT_WAIT: float = 86400.0
    # Rows of an exported list, shipments on one page, and orders in one request to shipments/bulk/.
    EXPORT_MAX_ROWS: int = bounded(100_000, minimum=1)
    PAGE_SIZE: int = bounded(50, minimum=1, maximum=MAX_PAGE_SIZE)
    BULK_MAX_ORDERS: int = bounded(10_000, minimum=1)
    # How long a worker books for one company before it serves the next, and how many of a company's
    # bulk jobs may be open at once.
    BULK_SLICE: float = bounded(3.0, minimum=0.1, maximum=60)
    BULK_MAX_OPEN_JOBS: int = bounded(20, minimum=1)
    # The lease of an order of a bulk job, and how many orders of one job a worker books at once.
    BULK_LEASE: float = 200.0
    BULK_THREADS: int = bounded(4, minimum=1, maximum=MAX_THREADS)
    # The lease of a chunk of a manifest, the back-off after a failure (doubled each time, up to the
    # longest), and the failures after which a chunk is given up.
    MANIFEST_LEASE: float = 120.0
    MANIFEST_BACKOFF: float = 5.0
    MANIFEST_LONGEST_BACKOFF: float = 600.0
    MANIFEST_FAILURES: int = bounded(12, minimum=1)
    # How long an action on a shipment may be under way before it is unknown how it ended.
    ACTION_LEASE: float = 150.0
    OPERATOR_PATIENCE: float = 14400.0  # for a courier that is away; then the action is given up
    # How many days an accepted action is asked about, after it was asked for or after its day.
    ACTION_LIMIT_DAYS: int = bounded(7, minimum=1, maximum=MAX_DAYS)
    # The lease of a document that came with a booking and is being fetched, the back-off after a
    # failure (doubled each time, up to the longest), and the failures after which it is given up.
    DOCUMENT_LEASE: float = 120.0
    DOCUMENT_BACKOFF: float = 5.0
    DOCUMENT_LONGEST_BACKOFF: float = 3600.0
    DOCUMENT_FAILURES: int = bounded(12, minimum=1)
    # The dotted path of the policy that computes a merchant's price from a courier's quote, and how
    # long a quote is cached.
    PRICING: str = "couriers.rates.pricing.company_price"
    QUOTE_CACHE: float = 300.0
    # How long a loaded list of pincodes is used.
    SERVICEABILITY_FRESH_DAYS: int = bounded(7, minimum=0, maximum=MAX_DAYS)
    # The alias in STORAGES of the storage of labels and other documents, and the largest, in bytes.
    STORAGE: str = "default"
    LABEL_MAX_BYTES: int = bounded(10485760, minimum=1)
    # A shipment is polled after this time without news, and again after the same time.
    TRACKING_SILENCE: float = 14400.0
    TRACKING_THREADS: int = bounded(8, minimum=1, maximum=MAX_THREADS)
    # How long rows are kept.
    RETENTION_KEYS_DAYS: int = bounded(30, minimum=1, maximum=MAX_DAYS)
    RETENTION_EVENTS_DAYS: int = bounded(90, minimum=1, maximum=MAX_DAYS)
    RETENTION_CALLS_DAYS: int = bounded(30, minimum=1, maximum=MAX_DAYS)
    # Those that storefronts read, and are sent for a day.
    RETENTION_OUTBOX_DAYS: int = bounded(30, minimum=2, maximum=MAX_DAYS)
    # How long after the end of a shipment its consignee, free texts and labels are kept.
    RETENTION_CONSIGNEE_DAYS: int = bounded(400, minimum=1, maximum=MAX_DAYS)
    # How many expired rows are deleted at once, and the pause after each batch.
    RETENTION_BATCH: int = bounded(1000, minimum=1)
    RETENTION_PAUSE: float = 0.05
    # How many proxies of the project's own a request passes, each of which adds the address that it
    # saw to X-Forwarded-For. With 0 the header is not read.
    PROXIES: int = bounded(0, minimum=0, maximum=10)
    # Requests a minute, which may all come at once; 0 is no limit. Wrong keys, refused callbacks
    # and tracking pages are counted by address.
    THROTTLE_KEY: int = bounded(6000, minimum=0, maximum=MAX_THROTTLE)
    THROTTLE_COMPANY: int = bounded(12_000, minimum=0, maximum=MAX_THROTTLE)
    THROTTLE_ADDRESS: int = bounded(12_000, minimum=0, maximum=MAX_THROTTLE)
    THROTTLE_WRONG_KEYS: int = bounded(60, minimum=0, maximum=MAX_THROTTLE)
    THROTTLE_REFUSED_CALLBACKS: int = bounded(600, minimum=0, maximum=MAX_THROTTLE)
    THROTTLE_TRACKING_PAGE: int = bounded(600, minimum=0, maximum=MAX_THROTTLE)
    # A plug-in's own tunables, by the courier's code.
    COURIERS: dict[str, dict[str, Any]] = dataclasses.field(default_factory=dict)
