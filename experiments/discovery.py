"""Which graph made this table? Methods beside the empty graph and sorting by variance, raw and standardised.

    python -m experiments.discovery --sachs cdt-0.6.0-py3-none-any.whl

ER1 and ER2: four random graphs each of 20 variables, one or two edges a variable on average, linear with weights of
.5 to 2 and unit normal noise, 1000 rows, seeds 0 to 3. Sachs: logarithms of the 853 undisturbed cells, the consensus of
17 edges; `pip download --no-deps cdt` has the file. PC and GES need `pip install 'symjax[discovery]'`. Structural
Hamming distances summed over the four graphs; "classes" compares CPDAGs, which is all that independencies tell. A guest
with two cores of an AMD EPYC at a load of 12, 45 CPU seconds, 2026-11-29.

                    ER1 (77 edges)              ER2 (158)                   Sachs (17)
                    raw   flat  flat, classes   raw   flat  flat, classes   found  SHD  classes
    empty            77     77       77         158    158      158             0   17       17
    sort and regress  9    134      138          29    344      348             6   14       13
    DAGMA             0     79       80           2    191      209             5   14       12
    NOTEARS           1     54       52          11    147      158             3   16       14
    PC               41     41       21         124    124      116             6   17       13
    GES              35     35       11         119    119      105             6   17       11

"raw" are the columns as they were made (varsortability .98 to .99), "flat" the same standardised (.50): DAGMA and
NOTEARS find raw graphs nearly without error and are no better than the empty graph where scales say nothing. PC and GES
do not see scales; GES has twice the penalty of the BIC. NOTEARS by L-BFGS-B in scipy has the same distances on each of
the eight raw graphs. Peers with the same protocol on other graphs, two of each density: NOTEARS (gcastle) 0, 0, 1, 1
raw, and 21 and 32 on the first of each standardised; dagma 0, 0, 3, 0 raw. On Sachs's cells gcastle's NOTEARS was at 14
with 4 edges and dagma at 13 with 5: no method joins even a half of the pairs, and an empty graph is not far behind.
"""

import argparse
import importlib.util
import pathlib
import zipfile
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd

from symjax.causal.discover import (
    as_graph,
    compare_graphs,
    cpdag,
    dagma_linear,
    ges,
    notears_linear,
    pc,
    skeleton_f1,
    sort_and_regress,
    varsortability,
)

FILE = "cdt/data/resources/cyto_full_data.csv"
OBSERVED = 853  # of Sachs's cells nobody disturbed
COLUMNS = ["Raf", "Mek", "Plcg", "PIP2", "PIP3", "Erk", "Akt", "PKA", "PKC", "P38", "Jnk"]
SACHS = (  # the consensus of 17 edges
    "PKC -> PKA PKC -> Raf PKC -> Jnk PKC -> P38 PKC -> Mek PKA -> Raf PKA -> Jnk PKA -> P38 PKA -> Mek PKA -> Erk "
    "PKA -> Akt Plcg -> PIP3 Plcg -> PIP2 PIP3 -> PIP2 Raf -> Mek Mek -> Erk Erk -> Akt"
)


FITS = {
    "DAGMA": jax.jit(jax.vmap(lambda s: dagma_linear(s, 0.02))),
    "NOTEARS": jax.jit(jax.vmap(lambda s: notears_linear(s, 0.1))),
}


class Preset(NamedTuple):
    """Variables, rows, random graphs of each density, and edges a variable."""

    variables: int
    rows: int
    graphs: int
    densities: tuple[int, ...]


PRESETS = {"tiny": Preset(5, 200, 1, (1,)), "small": Preset(20, 1000, 4, (1, 2))}


class Found(NamedTuple):
    """A graph beside the true one.

    Attributes:
        edges: how many were found.
        distance: from the true graph; for a class of graphs, an edge without direction counts as wrong.
        of_class: between the CPDAGs.
        skeleton: F1 of the pairs joined.
    """

    edges: int
    distance: int
    of_class: int
    skeleton: float


def random_table(variables: int, rows: int, density: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the edges of a random graph, so many a variable, and rows of a linear model with weights of .5 to 2."""
    rng, d = np.random.default_rng(seed), variables
    edges = np.triu(rng.random((d, d)) < 2 * density / (d - 1), 1)[np.ix_(order := rng.permutation(d), order)]
    weights = edges * rng.uniform(0.5, 2, (d, d)) * rng.choice([-1, 1], (d, d))
    return edges, rng.standard_normal((rows, d)) @ np.linalg.inv(np.eye(d) - weights)


def sachs(path: pathlib.Path | None) -> tuple[np.ndarray, np.ndarray] | None:
    """Return the consensus graph and logarithms of the undisturbed cells, from a csv, a wheel of cdt, or cdt."""
    spec = importlib.util.find_spec("cdt") if path is None else None
    if spec is not None and spec.origin is not None:
        path = pathlib.Path(spec.origin).parents[1] / FILE
    if path is None:
        return None
    if path.suffix == ".whl":
        with zipfile.ZipFile(path) as wheel, wheel.open(FILE) as file:
            table = pd.read_csv(file)
    else:
        table = pd.read_csv(path)
    words = SACHS.split()
    true = np.zeros((len(COLUMNS),) * 2, bool)
    for cause, effect in zip(words[::3], words[2::3], strict=True):
        true[COLUMNS.index(cause), COLUMNS.index(effect)] = True
    return true, np.log(table.to_numpy(float)[:OBSERVED])


def graphs(tables: list[np.ndarray]) -> dict[str, list[np.ndarray]]:
    """Return by method the graph of each table, those of a method in one program."""
    covariances = jnp.asarray(np.stack([np.cov(table.T) for table in tables]))
    found = {
        "empty": [np.zeros((table.shape[1],) * 2, bool) for table in tables],
        "sort and regress": [sort_and_regress(table) for table in tables],
    }
    for name, fits in FITS.items():
        found[name] = [as_graph(np.asarray(w)) for w in fits(covariances)]
    if importlib.util.find_spec("causallearn"):
        found["PC"] = [pc(table).edges() for table in tables]
        found["GES"] = [ges(table, penalty=1.0).edges() for table in tables]
    return found


def report(title: str, truths: list[np.ndarray], tables: list[np.ndarray]) -> dict[str, list[Found]]:
    """Print a row for each method and return the comparisons."""
    sorted_ = np.mean([varsortability(table, true) for table, true in zip(tables, truths, strict=True)])
    print(f"\n{title}: {[int(true.sum()) for true in truths]} edges, varsortability {sorted_:.2f}")
    print(f"{'':18}{'found':>20}{'SHD':>20}{'SHD of classes':>20}{'skeleton F1':>14}")
    result = {}
    for name, found in graphs(tables).items():
        rows = [_compared(graph, true) for graph, true in zip(found, truths, strict=True)]
        cells = ("  ".join(str(getattr(row, part)) for row in rows) for part in Found._fields[:3])
        print(f"{name:18}" + "".join(f"{cell:>20}" for cell in cells) + f"{np.mean([r.skeleton for r in rows]):14.2f}")
        result[name] = rows
    return result


def _compared(found: np.ndarray, true: np.ndarray) -> Found:
    plain = compare_graphs(found, true)
    known = found if (found & found.T).any() else cpdag(found)
    return Found(plain.edges, plain.distance, compare_graphs(known, cpdag(true)).distance, skeleton_f1(found, true))


def main(preset: str = "small", sachs_path: pathlib.Path | None = None) -> dict[str, dict[str, list[Found]]]:
    """Print and return the comparisons by data and method."""
    size, found = PRESETS[preset], {}
    for density in size.densities:
        pairs = [random_table(size.variables, size.rows, density, seed) for seed in range(size.graphs)]
        truths, tables = [list(part) for part in zip(*pairs, strict=True)]
        found[f"ER{density}"] = report(f"ER{density}, raw", truths, tables)
        flat = [(table - table.mean(axis=0)) / table.std(axis=0) for table in tables]
        found[f"ER{density}, standardised"] = report(f"ER{density}, standardised", truths, flat)
    cells = sachs(sachs_path)
    if cells is not None:
        true, logs = cells
        found["Sachs"] = report("Sachs, standardised", [true], [(logs - logs.mean(axis=0)) / logs.std(axis=0)])
    return found


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--preset", choices=PRESETS, default="small")
    parser.add_argument("--sachs", dest="sachs_path", type=pathlib.Path, help="a csv of Sachs's cells, or cdt's wheel")
    main(**vars(parser.parse_args()))
