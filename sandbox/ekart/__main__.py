"""`python -m sandbox.ekart`: the sandbox without Django."""

import argparse

from sandbox.cli import add_arguments, run

parser = argparse.ArgumentParser(prog="python -m sandbox.ekart", description=__doc__)
add_arguments(parser)
run(vars(parser.parse_args()))
