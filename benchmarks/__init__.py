"""Side by side with peers, both measured in one run: `python -m benchmarks.NAME` prints one JSON line a case."""
