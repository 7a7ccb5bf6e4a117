"""`make chaos`: the whole of it, ten thousand bookings."""

import argparse
import secrets
import sys

from tests.chaos.run import Chaos

parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
parser.add_argument("--bookings", type=int, default=10_000)
parser.add_argument("--kills", type=int, default=56)
parser.add_argument("--seed", type=int, default=None, help="a random one if left out")
options = parser.parse_args()
seed = secrets.randbelow(10**6) if options.seed is None else options.seed
report = Chaos(options.bookings, seed, options.kills).run()
print("\n".join(report.lines()))
sys.exit(1 if report.wrong else 0)
