"""`python -m couriers_ekart.sandbox`: the sandbox without Django."""

import argparse

from couriers_ekart.sandbox.cli import add_arguments, run

parser = argparse.ArgumentParser(prog="python -m couriers_ekart.sandbox", description=__doc__)
add_arguments(parser)
run(vars(parser.parse_args()))
