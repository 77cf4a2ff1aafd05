"""Each kernel and each engine by itself, timed by pytest-benchmark: `pytest benchmarks/micro`, or `make bench`."""
