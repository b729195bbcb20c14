"""Put files of cases to the library: `python -m tests.causal.cases FILE...` prints a line for each, with its error."""

import json
import math
import pathlib
import sys

import jax

from tests.causal import identification_cases


def check(case: dict) -> tuple[str, bool, float, str]:
    """Return the name of a case of either layout, whether it holds, its error, and what was found."""
    if "directed" in case:
        return case["id"], *identification_cases.check_case(case)
    from tests.causal import counterfactual_cases

    return case["name"], *counterfactual_cases.check_case(case)


def main(files: list[str]) -> int:
    """Print a line for each case, and how many hold; returns 0 where all do."""
    jax.config.update("jax_enable_x64", True)
    verdicts = []
    for file in files:
        for case in json.loads(pathlib.Path(file).read_text())["cases"]:
            try:
                name, right, error, words = check(case)
            except (KeyError, TypeError, ValueError) as wrong:
                name, right, error, words = case.get("id", case.get("name")), False, math.inf, f"not read: {wrong}"
            verdicts.append(right)
            print(f"{'holds' if right else 'FAILS'}  {error:.1e}  {name}: {words}")
    print(f"{sum(verdicts)} of {len(verdicts)} cases hold")
    return 0 if all(verdicts) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
