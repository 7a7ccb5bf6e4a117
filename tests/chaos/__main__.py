"""`make chaos`: 10,000 bookings while everything fails; with ARGS=inbox: 50,000 callbacks.

`ARGS="bookings toy_search"` books 3,000 orders with another courier than Ekart, by its code.

The web server is that of docker-compose.yml, so nginx must be installed.
"""

import argparse
import secrets
import sys
from typing import Any

from shipcrowd import nginx
from tests.chaos.bookings import BookingChaos
from tests.chaos.couriers import COURIERS
from tests.chaos.inbox import InboxChaos

parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
parser.add_argument("what", nargs="?", choices=["bookings", "inbox"], default="bookings")
parser.add_argument("courier", nargs="?", choices=COURIERS, default="ekart")
parser.add_argument(
    "--bookings", type=int, default=None, help="default: 10,000; 3,000 with a toy courier"
)
parser.add_argument("--deliveries", type=int, default=50_000)
parser.add_argument(
    "--kills", type=int, default=None, help="default: 56 for bookings, 20 for inbox"
)
parser.add_argument("--seed", type=int, default=None, help="default: a random one")
options = parser.parse_args()
try:
    nginx.check_installed()
except nginx.NginxMissing as error:
    sys.exit(str(error))
report: Any
seed = secrets.randbelow(10**6) if options.seed is None else options.seed
if options.what == "inbox":
    kills = 20 if options.kills is None else options.kills
    report = InboxChaos(options.deliveries, seed, kills).run()
else:
    kills = 56 if options.kills is None else options.kills
    courier = COURIERS[options.courier]
    bookings = options.bookings or (10_000 if courier is COURIERS["ekart"] else 3_000)
    report = BookingChaos(bookings, seed, kills, courier).run()
print("\n".join(report.lines()))
sys.exit(1 if report.wrong else 0)
