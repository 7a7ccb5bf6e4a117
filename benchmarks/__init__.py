"""Benchmarks, run by `make bench`. Every figure that is printed was measured in the same run."""
