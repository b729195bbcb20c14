"""How every benchmark measures: two single-threaded processes taking turns, medians, one JSON line a case. Linux only.

A side is a command that ends in `serve(make)`. The two sides may use different interpreters, so that a peer that cannot
share our environment lives in one of its own, and this module needs nothing but the standard library. Both processes
are pinned to one core and told to use one thread; they take turns in short rounds, so a change of the machine's load
meets both. The number to compare is CPU time; wall time is printed beside it and means something on an idle machine.
"""

import contextlib
import datetime as dt
import importlib.metadata
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from typing import IO, Any, NamedTuple, cast

ONE_THREAD = {
    "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false",
    "JAX_PLATFORMS": "cpu",
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "SYMJAX_BASES": "",  # solve, do not read
}
WARM_UP = 5  # steps after the first one and before the first measurement
COLD_LIMIT = 20.0  # CPU s above which work is not repeated
WARM_TIME, WARM_RUNS = 2.0, 20  # CPU s and runs of repetitions


def serve(
    make: Callable[[], Callable[[], object]],
    *packages: str,
    facts: Mapping[str, Any] | None = None,
    after: Callable[[], Mapping[str, Any]] = dict,
) -> None:
    """Be one side: build the step, run it once, then measure as many steps as each line on standard input asks for.

    Args:
        make: Returns the step, a function without arguments that ends when its results are there (`block_until_ready`).
            Imports, data and compilation belong inside: they count towards the time to the first step.
        packages: Distributions whose versions are reported.
        facts: What else to report of this side; `make` may fill it. Of "gflop", the operations of a step, the rate is
            reported too.
        after: Measures more to report, after the first step.
    """
    with contextlib.redirect_stdout(sys.stderr):
        start = time.perf_counter()
        step = make()
        step()
        first = {"cpu_s": time.process_time(), "wall_s": time.perf_counter() - start}
        for _ in range(WARM_UP):
            step()
        known = {**(facts or {}), **after()}
    print(json.dumps({"first_step": first, "facts": known, "versions": _versions(packages)}), flush=True)
    for line in sys.stdin:
        with contextlib.redirect_stdout(sys.stderr):
            samples = [_timed(step)[0] for _ in range(int(line))]
        print(json.dumps({"samples": samples, "peak_mib": round(_peak_mib())}), flush=True)


def compare(
    case: str, ours: Sequence[str], peer: Sequence[str], *, install: str, rounds: int = 6, repeats: int = 8
) -> dict[str, Any]:
    """Measure two commands that `serve`, print the comparison as one JSON line and return it.

    Args:
        case: What is measured.
        ours: Command of our side.
        peer: Command of the peer; where it cannot start, the line says "skipped" and how to install it.
        install: The sentence that tells how to make the peer's environment.
        rounds: How often the sides take turns.
        repeats: Steps in one turn.
    """
    load = os.getloadavg()[0]
    with contextlib.ExitStack() as stack:
        try:
            other = _Side(stack, peer)
        except (FileNotFoundError, EOFError):
            result = {"case": case, "skipped": f"the peer did not start: {install}"}
        else:
            sides = {"peer": other, "ours": _Side(stack, ours)}
            for _ in range(rounds):
                for side in sides.values():
                    side.measure(repeats)
            reports = {name: side.report() for name, side in sides.items()}

            def ratio(quantity: str) -> float:
                return round(reports["ours"][quantity] / reports["peer"][quantity], 3)

            result = {
                "case": case,
                **reports,
                "ratio": ratio("step_cpu_ms"),
                "ratio_is": "step_cpu_ms, ours / peer",
                "first_step_ratio": ratio("first_step_cpu_s"),
                "peak_ratio": ratio("peak_mib"),
                "steps": rounds * repeats,
                "load": round(load, 2),
                "date": dt.date.today().isoformat(),
            }
    print(json.dumps(result), flush=True)
    return result


def alone(case: str, ours: Sequence[str], *, rounds: int = 6, repeats: int = 8) -> dict[str, Any]:
    """Measure a command that `serve`s, print it as one JSON line and return it."""
    with contextlib.ExitStack() as stack:
        side = _Side(stack, ours)
        for _ in range(rounds):
            side.measure(repeats)
        result = {"case": case, "ours": side.report(), "steps": rounds * repeats, "date": dt.date.today().isoformat()}
    print(json.dumps(result), flush=True)
    return result


class Work(NamedTuple):
    """Work that is done once and then remembered, such as solving for a basis.

    Attributes:
        solve: Does it and returns the result.
        forget: Clears what `solve` remembers of results; what is compiled stays compiled.
        describe: Returns what to report of the result, outside the measurement.
    """

    solve: Callable[[], Any]
    forget: Callable[[], None]
    describe: Callable[[Any], Mapping[str, Any]]


def serve_once(make: Callable[[], Work], *packages: str) -> None:
    """Be one side of a comparison of work that is done once: cold, then warm, then the report as one line.

    Cold is the first time in this process, with compilation, without what `make` does. Warm is the median of
    repetitions without remembered results, where the cold run was short enough to repeat.
    """
    with contextlib.redirect_stdout(sys.stderr):
        work = make()
        before = _peak_mib()
        (cold, wall), result = _timed(work.solve)
        peak, warm = _peak_mib(), []
        while cold < COLD_LIMIT and sum(warm) < WARM_TIME and len(warm) < WARM_RUNS:
            work.forget()
            warm.append(_timed(work.solve)[0][0])
        facts = work.describe(result)
    report = {
        "cold_cpu_s": round(cold, 4),
        "cold_wall_s": round(wall, 4),
        "warm_cpu_s": round(statistics.median(warm), 5) if warm else None,
        "peak_mib": round(peak),
        "grown_mib": round(peak - before, 1),
        **facts,
        "versions": _versions(packages),
    }
    print(json.dumps(report), flush=True)


def beside(case: str, ours: dict[str, Any], peer: dict[str, Any], scale: float = 1.0) -> dict[str, Any]:
    """Return a row of two sides from `once`, and how many times faster ours is; the peer did 1 / scale of the work."""
    row = {"case": case, "ours": ours, "peer": peer, "load": os.getloadavg()[0]}
    if "skipped" not in ours and "skipped" not in peer:
        row |= {f"times_{t}": round(scale * peer[f"cold_{t}_s"] / ours[f"cold_{t}_s"], 1) for t in ("wall", "cpu")}
    return row


def once(command: Sequence[str]) -> dict[str, Any]:
    """Run a command that ends in `serve_once` in a fresh process and return its report, or {"skipped": why}."""
    try:
        done = subprocess.run(_pinned(command), env=os.environ | ONE_THREAD, capture_output=True, text=True)
    except FileNotFoundError as error:
        return {"skipped": str(error)}
    if done.returncode:
        return {"skipped": (done.stderr.strip().splitlines() or [f"exit status {done.returncode}"])[-1]}
    return json.loads(done.stdout)


class _Side:
    """A process that serves one side, and what it measured so far."""

    def __init__(self, stack: contextlib.ExitStack, command: Sequence[str]):
        process = stack.enter_context(
            subprocess.Popen(
                _pinned(command),
                env=os.environ | ONE_THREAD,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
        )
        self.requests, self.answers = cast(IO[str], process.stdin), cast(IO[str], process.stdout)
        stack.callback(self.requests.close)
        self.start = self._read()
        self.samples, self.peak = [], 0

    def _read(self) -> dict[str, Any]:
        line = self.answers.readline()
        if not line:
            raise EOFError
        return json.loads(line)

    def measure(self, repeats: int) -> None:
        print(repeats, file=self.requests, flush=True)
        answer = self._read()
        self.samples += answer["samples"]
        self.peak = answer["peak_mib"]

    def report(self) -> dict[str, Any]:
        cpu, wall = (round(1e3 * statistics.median(times), 2) for times in zip(*self.samples, strict=True))
        first = {f"first_step_{key}": round(value, 1) for key, value in self.start["first_step"].items()}
        facts = self.start["facts"]
        rate = {"gflops": round(1e3 * facts["gflop"] / cpu, 1)} if "gflop" in facts else {}
        return {
            "step_cpu_ms": cpu,
            "step_wall_ms": wall,
            **first,
            "peak_mib": self.peak,
            **facts,
            **rate,
            "versions": self.start["versions"],
        }


def _pinned(command: Sequence[str]) -> list[str]:
    return ["taskset", "-c", str(max(os.sched_getaffinity(0))), *command]


def _versions(packages: Sequence[str]) -> dict[str, str]:
    return {"python": platform.python_version()} | {name: importlib.metadata.version(name) for name in packages}


def _peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _timed(work: Callable[[], Any]) -> tuple[tuple[float, float], Any]:
    """Return (CPU seconds, wall seconds) and the result."""
    cpu, wall = time.process_time(), time.perf_counter()
    result = work()
    return (time.process_time() - cpu, time.perf_counter() - wall), result
