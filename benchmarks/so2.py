"""SO(2) convolutions against products with harmonics: those of e3nn-jax for each edge, and our own along a graph.

    python -m benchmarks.so2
    python -m benchmarks.so2 --cases graph --degrees 1 2 3

32 channels of every degree up to l, 1000 edges, float32, one thread, all maps that commute with rotations (reflections
need not). Cases: "edges" maps features that edges have: `so2_convolution` with all orders and with those up to 2, and
`e3nn.tensor_product` with harmonics up to l, kept up to l, with e3nn's linear map. "graph" is what a network does: from
64 nodes along 1000 edges with radial weights to sums at the nodes, and for the product, our `tensor_product_conv`, a
linear map of the sums. "growth" is the first one, all orders, with more edges.

All sides are compiled in one process and called in turn, so that what else the machine does falls on all; times are
medians of CPU seconds. Frames, Wigner matrices and harmonics are made of the vectors in every call. A gradient is that
of a mean square with respect to weights, features and vectors. Memory is that of the temporary arrays of a program.
"""

import argparse
import datetime as dt
import json
import os
import statistics
import time
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, cast

from benchmarks.timing import ONE_THREAD
from symjax.cli.memory import keep_memory

EDGES, NODES, CHANNELS, GROWTH = 1000, 64, 32, (1000, 10_000, 100_000)
TURNS, LONG = 15, 1.0  # calls of each side; CPU s of a call that needs few


class Side(NamedTuple):
    """A function of weights, features and vectors, the first two as it wants them."""

    call: Callable[[Any, Any, Any], Any]
    weights: Any
    features: Any


def normal(*shape: int) -> Any:
    """Return standard normal numbers."""
    import numpy as np

    return np.random.default_rng(0).standard_normal(shape, dtype=np.float32)


def so2(degree: int, m_max: int, rows: int) -> Side:
    """Return the convolution of rows of features."""
    from symjax.layers.irreps import SO2Edges, so2_convolution, so2_linear

    def call(matrices: Any, x: Any, vectors: Any) -> Any:
        return so2_convolution(lambda z: so2_linear(matrices, z)[0], SO2Edges(x, vectors, vectors), m_max)

    sizes = [CHANNELS * (degree + 1 - m) for m in range(m_max + 1)]
    matrices = [normal(size, 2 * size if m else size) for m, size in enumerate(sizes)]
    return Side(call, matrices, normal(rows, (degree + 1) ** 2, CHANNELS))


def so2_along(degree: int, m_max: int, senders: Any, receivers: Any) -> Side:
    """Return the convolution along a graph."""
    from symjax.layers.irreps import SO2Edges, so2_convolution, so2_linear
    from symjax.math import segment_sum

    side = so2(degree, m_max, NODES)
    orders = sum(degree + 1 - m for m in range(m_max + 1))

    def call(weights: Any, x: Any, vectors: Any) -> Any:
        matrices, scale = weights
        edges = SO2Edges(x[senders], vectors, vectors)
        said = so2_convolution(lambda z: so2_linear(matrices, z, scale=scale)[0], edges, m_max)
        return segment_sum(said, receivers, NODES, indices_are_sorted=True)

    return Side(call, (side.weights, normal(EDGES, orders, CHANNELS)), side.features)


def even(degree: int, channels: int) -> Any:
    """Return the irreps of SO(3) up to a degree."""
    import e3nn_jax as e3nn

    return e3nn.Irreps([(channels, (each, 1)) for each in range(degree + 1)])


def harmonics(degree: int, vectors: Any) -> Any:
    """Return those of directions up to a degree, as irreps of SO(3)."""
    import e3nn_jax as e3nn

    natural = e3nn.Irreps.spherical_harmonics(degree)
    return e3nn.IrrepsArray(even(degree, 1), e3nn.spherical_harmonics(natural, vectors, normalize=True).array)


def e3nn_product(degree: int) -> Side:
    """Return e3nn's product of features of edges with harmonics, and its linear map."""
    import e3nn_jax as e3nn
    import jax

    irreps = even(degree, CHANNELS)
    linear: Any = e3nn.flax.Linear(irreps)

    def product(x: Any, vectors: Any) -> Any:
        given = e3nn.IrrepsArray(irreps, x), harmonics(degree, vectors)
        return e3nn.tensor_product(*given, filter_ir_out=[ir for _, ir in irreps])

    features = normal(EDGES, irreps.dim)
    shapes = jax.eval_shape(lambda x, v: linear.init(jax.random.key(0), product(x, v)), features, normal(EDGES, 3))
    weights = jax.tree.map(lambda leaf: normal(*leaf.shape), shapes)
    return Side(lambda w, x, v: linear.apply(w, product(x, v)).array, weights, features)


def product_along(degree: int, senders: Any, receivers: Any) -> Side:
    """Return our own product with harmonics along a graph, and the linear map of the sums."""
    import e3nn_jax as e3nn

    from symjax.layers.irreps import irreps_linear, linear_shapes, tensor_product_conv, tensor_product_paths

    irreps = even(degree, CHANNELS)
    paths = tensor_product_paths(irreps, even(degree, 1), irreps)
    found = e3nn.Irreps([path.target for path in paths])

    def call(weights: Any, x: Any, vectors: Any) -> Any:
        matrices, radial = weights
        given = e3nn.IrrepsArray(irreps, x), harmonics(degree, vectors)
        heard = tensor_product_conv(*given, radial, senders=senders, receivers=receivers, paths=paths)
        return irreps_linear(matrices, heard, irreps).array

    matrices = [normal(*shape) for shape in linear_shapes(found, irreps)]
    return Side(call, (matrices, normal(EDGES, CHANNELS * len(paths))), normal(NODES, irreps.dim))


def measure(sides: Mapping[str, Side], vectors: Mapping[str, Any]) -> dict[str, Any]:
    """Return for each side CPU ms, CPU seconds of compilation and MiB of temporaries, of values and of gradients."""
    import jax
    import jax.numpy as jnp

    report: dict[str, Any] = {}
    for work in ("forward", "gradient"):
        calls, facts = {}, {}
        for name, side in sides.items():
            given = jax.device_put((side.weights, side.features, vectors[name]))

            def loss(*arguments: Any, call: Callable = side.call) -> Any:
                return jnp.mean(call(*arguments) ** 2)

            began = time.process_time()
            program = jax.jit(side.call if work == "forward" else jax.grad(loss, (0, 1, 2))).lower(*given).compile()
            spent, memory = time.process_time() - began, cast(Any, program.memory_analysis())
            facts[name] = {
                "compile_cpu_s": round(spent, 1),
                "temporary_mib": round(memory.temp_size_in_bytes / 2**20, 1),
            }
            calls[name] = lambda program=program, given=given: jax.block_until_ready(program(*given))
        for name, seconds in alternate(calls).items():
            report.setdefault(name, {})[work] = {"cpu_ms": round(1e3 * seconds, 2)} | facts[name]
    return report


def alternate(calls: Mapping[str, Callable[[], object]]) -> dict[str, float]:
    """Return the median CPU seconds of each call, called in turn after a first one."""
    first = {name: timed(call) for name, call in calls.items()}
    turns = TURNS if max(first.values()) < LONG else TURNS // 5
    times = [{name: timed(call) for name, call in calls.items()} for _ in range(turns)]
    return {name: statistics.median(turn[name] for turn in times) for name in calls}


def timed(call: Callable[[], object]) -> float:
    """Return the CPU seconds of a call."""
    began = time.process_time()
    call()
    return time.process_time() - began


def compared(case: str, degree: int) -> dict[str, Any]:
    """Return a row of one degree: all sides, and the ratios of the first to the last."""
    import numpy as np

    rng = np.random.default_rng(1)
    ends = rng.integers(NODES, size=EDGES), np.sort(rng.integers(NODES, size=EDGES))
    orders = {"so2": degree, "so2, m <= 2": 2} if degree > 2 else {"so2": degree}
    if case == "edges":
        sides = {name: so2(degree, m_max, EDGES) for name, m_max in orders.items()} | {"e3nn": e3nn_product(degree)}
    else:
        sides = {name: so2_along(degree, m_max, *ends) for name, m_max in orders.items()}
        sides["product"] = product_along(degree, *ends)
    report = measure(sides, dict.fromkeys(sides, normal(EDGES, 3)))
    *ours, peer = report
    ratios = {
        work: {name: round(report[name][work]["cpu_ms"] / report[peer][work]["cpu_ms"], 3) for name in ours}
        for work in ("forward", "gradient")
    }
    return {"case": f"{case}, l = {degree}", **report, "ratio": ratios, "ratio_is": f"cpu_ms, ours / {peer}"}


def grown(degree: int) -> dict[str, Any]:
    """Return a row of one degree: microseconds of an edge, among more and more."""
    sides = {str(edges): so2(degree, degree, edges) for edges in GROWTH}
    report = measure(sides, {name: normal(int(name), 3) for name in sides})
    for edges, works in report.items():
        for facts in works.values():
            facts["us_an_edge"] = round(1e3 * facts["cpu_ms"] / int(edges), 2)
    return {"case": f"growth, l = {degree}", **report}


def main() -> None:
    """Measure what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    cases = ("edges", "graph", "growth")
    parser.add_argument("--cases", nargs="+", choices=cases, default=cases)
    parser.add_argument("--degrees", nargs="+", type=int, default=(1, 2, 3, 4, 6))
    options = parser.parse_args()
    for case in options.cases:
        for degree in options.degrees if case != "growth" else (2,):
            row = grown(degree) if case == "growth" else compared(case, degree)
            now = {"load": round(os.getloadavg()[0], 2), "date": dt.date.today().isoformat()}
            print(json.dumps(row | now), flush=True)


if __name__ == "__main__":
    keep_memory()
    os.environ |= ONE_THREAD
    os.environ.pop("JAX_COMPILATION_CACHE_DIR", None)
    os.sched_setaffinity(0, [max(os.sched_getaffinity(0))])
    main()
