"""`make chaos`: ten thousand bookings; `make chaos ARGS=inbox`: fifty thousand callbacks."""

import argparse
import secrets
import sys
from typing import Any

from tests.chaos.inbox import InboxChaos
from tests.chaos.run import Chaos

parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
parser.add_argument("what", nargs="?", choices=["bookings", "inbox"], default="bookings")
parser.add_argument("--bookings", type=int, default=10_000)
parser.add_argument("--deliveries", type=int, default=50_000)
parser.add_argument("--kills", type=int, default=None, help="56 for bookings, 20 for the inbox")
parser.add_argument("--seed", type=int, default=None, help="a random one if left out")
options = parser.parse_args()
report: Any
seed = secrets.randbelow(10**6) if options.seed is None else options.seed
if options.what == "inbox":
    kills = 20 if options.kills is None else options.kills
    report = InboxChaos(options.deliveries, seed, kills).run()
else:
    kills = 56 if options.kills is None else options.kills
    report = Chaos(options.bookings, seed, kills).run()
print("\n".join(report.lines()))
sys.exit(1 if report.wrong else 0)
