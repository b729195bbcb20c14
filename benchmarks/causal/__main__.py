"""All rows of causal inference beside its peers: `python -m benchmarks.causal --peer-python PYTHON`, JSON a line."""

import argparse
import json

from benchmarks.causal import discover, dml, identify, refute, scm

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--peer-python", default="python", help="interpreter of an environment with DoWhy, EconML and dagma"
    )
    options = parser.parse_args()
    for part in (identify, refute, dml, scm, discover):
        for row in part.rows(options.peer_python):
            print(json.dumps(row), flush=True)
