"""Named workloads with exact counts asserted: `python -m benchmarks --help`."""
