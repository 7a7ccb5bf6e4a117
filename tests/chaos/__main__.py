"""`make chaos`: 10,000 bookings while everything fails, with Ekart or COURIER=CODE.

ARGS=failover leaves 10,000 orders to three couriers by a company's rules; ARGS="failover ekart
delhivery" to those. ARGS=inbox sends 50,000 callbacks, ARGS=outbox tells a merchant of 20,000
changes. With a toy courier, such as COURIER=toy_search, 3,000 orders are booked.

With --pooler the platform's database is behind a PgBouncer that pools transactions, with fewer
connections than the platform has threads. The web server is that of docker-compose.yml, so nginx
must be installed.
"""

import argparse
import secrets
import sys
from typing import Any

from shipcrowd import nginx
from tests.chaos.bookings import BookingChaos
from tests.chaos.couriers import COURIERS, REAL
from tests.chaos.inbox import InboxChaos
from tests.chaos.outbox import OutboxChaos
from tests.support.pgbouncer import MISSING, PROGRAM

parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
parser.add_argument(
    "what", nargs="?", choices=["bookings", "failover", "inbox", "outbox"], default="bookings"
)
parser.add_argument("couriers", nargs="*", metavar="COURIER", help=", ".join(COURIERS))
parser.add_argument(
    "--bookings", type=int, default=None, help="default: 10,000; 3,000 with a toy courier"
)
parser.add_argument("--deliveries", type=int, default=50_000)
parser.add_argument("--changes", type=int, default=20_000)
parser.add_argument(
    "--kills", type=int, default=None, help="default: 56 for bookings, 20 for inbox, 40 for outbox"
)
parser.add_argument("--seed", type=int, default=None, help="default: a random one")
parser.add_argument(
    "--pooler", type=int, nargs="?", const=8, default=0, metavar="CONNECTIONS",
    help="default: none; 8 where no number is given",
)  # fmt: skip
options = parser.parse_args()
if options.pooler and PROGRAM is None:
    sys.exit(MISSING)
try:
    nginx.check_installed()
except nginx.NginxMissing as error:
    sys.exit(str(error))
seed = secrets.randbelow(10**6) if options.seed is None else options.seed
if options.what == "inbox":
    kills = 20 if options.kills is None else options.kills
    run: Any = InboxChaos(options.deliveries, seed, kills)
elif options.what == "outbox":
    kills = 40 if options.kills is None else options.kills
    run = OutboxChaos(options.changes, seed, kills)
else:
    kills = 56 if options.kills is None else options.kills
    codes = options.couriers or (list(REAL) if options.what == "failover" else ["ekart"])
    if unknown := sorted({*codes} - COURIERS.keys()):
        parser.error(f"no such courier: {', '.join(unknown)}")
    if (options.what == "failover") != (len(codes) > 1):
        parser.error("bookings are made with one courier, failover with several")
    bookings = options.bookings or (10_000 if REAL.keys() >= {*codes} else 3_000)
    run = BookingChaos(bookings, seed, kills, [COURIERS[code] for code in codes])
run.pool_size = options.pooler
report = run.run()
print("\n".join(report.lines()))
sys.exit(1 if report.wrong else 0)
