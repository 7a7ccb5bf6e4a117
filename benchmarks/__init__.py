"""Figures of the project, printed by `make bench`; each is measured in the run that prints it."""
