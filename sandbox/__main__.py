"""`python -m sandbox`: start a courier's stand-in."""

from sandbox.cli import main

main()
