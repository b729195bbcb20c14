"""Three interchangeable drivers of one pure step: `jit`, `pmap` and `shard_map`, from one device to a pod."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jaxlib
import numpy as np
from jax.sharding import AxisType, Mesh, NamedSharding, PartitionSpec
from jaxtyping import PyTree

AXIS = "shards"

# XLA's effort for kernels on CPUs, which it compiles one by one with LLVM; elsewhere the option means something else.
# A NequIP training step (energies and forces, 500 kernels) compiles in 3/4 of the default's time and runs as fast:
# matrix products are library calls. Without any effort (0) it runs three times slower, which only suits what runs once.
# The older kernel writers of jaxlib 0.10 halve the compilation of what runs once, and slow scatters down.
CPU_STEP = {"xla_backend_optimization_level": 1}
CPU_ONCE: dict[str, int | bool] = {"xla_backend_optimization_level": 0}
if jaxlib.__version__.startswith("0.10."):
    CPU_ONCE["xla_cpu_use_fusion_emitters"] = False


@dataclasses.dataclass(frozen=True, eq=False)
class Parallel:
    """A compiled step and the placement of what it takes; made by `parallelise`."""

    how: str
    mesh: Mesh
    compiled: Callable
    traces: list[int]

    def __call__(self, state: PyTree, batch: PyTree) -> Any:
        """Run one step on this process's share of a batch: leaves [shards, ...], in host memory or on device."""
        return self.compiled(state, self.shard(batch))

    @property
    def devices(self) -> int:
        """The number of devices of all processes, which divides the number of shards of a batch."""
        return self.mesh.devices.size

    @property
    def compilations(self) -> int:
        """How many shapes of state and batch were compiled so far; 1 in a healthy run."""
        return len(self.traces)

    def local(self, shards: Sequence) -> Sequence:
        """Return the contiguous part of a plan's shards that this process loads."""
        owners = [device.process_index for device in self.mesh.devices.flat]
        each = len(shards) // len(owners)
        first = owners.index(jax.process_index())
        return shards[first * each : (first + self._local_devices) * each]

    def replicate(self, tree: PyTree) -> PyTree:
        """Copy a tree to every device; the copies are fresh, so donating them leaves the originals alive."""
        sharding = NamedSharding(self._mesh_of_arrays, PartitionSpec())

        def place(x: Any) -> jax.Array:
            if isinstance(x, jax.Array) and jax.dtypes.issubdtype(x.dtype, jax.dtypes.prng_key):
                return jax.random.wrap_key_data(place(jax.random.key_data(x)), impl=jax.random.key_impl(x))
            return jax.make_array_from_process_local_data(sharding, np.array(x))

        return jax.tree.map(place, tree)

    def shard(self, batch: PyTree) -> PyTree:
        """Lay out this process's shards for its devices, in order; one process leaves the transfer to the call itself.

        Raises:
            ValueError: if the number of shards is not a multiple of the number of devices.
        """
        sizes = {np.shape(x)[:1] for x in jax.tree.leaves(batch)}
        if len(sizes) != 1 or () in sizes or next(iter(sizes))[0] % self._local_devices:
            found = " and ".join(sorted(str(size[0]) if size else "none" for size in sizes)) or "no leaves"
            raise ValueError(
                f"every leaf of a batch needs a leading axis of shards, a multiple of {self._local_devices} device(s); "
                f"found {found}; plan the batches with shards={self.devices}"
            )
        if self.how == "pmap":
            batch = jax.tree.map(lambda x: x.reshape(self._local_devices, -1, *x.shape[1:]), batch)
        if jax.process_count() == 1:
            return batch
        sharding = NamedSharding(self._mesh_of_arrays, PartitionSpec(AXIS))
        return jax.tree.map(lambda x: jax.make_array_from_process_local_data(sharding, np.asarray(x)), batch)

    @property
    def _mesh_of_arrays(self) -> Mesh:
        return self.mesh.local_mesh if self.how == "pmap" else self.mesh

    @property
    def _local_devices(self) -> int:
        return self.mesh.local_mesh.devices.size


def parallelise(
    function: Callable, *, how: str = "jit", devices: Sequence[Any] | None = None, donate: bool = True
) -> Parallel:
    """Compile `function(replicated, batch, axis_name=None) -> replicated` for one or many devices.

    The first argument and everything returned are the same on all devices and carry no device axis, so the three
    drivers, and checkpoints written under them, are interchangeable. Every leaf of the batch carries a leading axis of
    shards; a shard is a padded batch of its own, and any multiple of the number of devices will do.

    Args:
        function: a step of `make_step`, or an evaluation of `make_evaluation`.
        how: "jit" (the compiler partitions one program), "pmap", or "shard_map" (explicit collectives, checked to
            return replicated values).
        devices: the devices of all processes; by default all there are.
        donate: whether the memory of the first argument is reused, as a training step should and an evaluation may not.

    Raises:
        ValueError: if `how` is unknown.
    """
    devices = sorted(devices or jax.devices(), key=lambda device: device.process_index)
    mesh = Mesh(np.array(devices), (AXIS,), axis_types=(AxisType.Auto,))
    whole, split = NamedSharding(mesh, PartitionSpec()), NamedSharding(mesh, PartitionSpec(AXIS))
    donated = (0,) if donate else ()
    chosen = devices[0].platform == "cpu" and not jax.config.read("jax_disable_most_optimizations")
    options = CPU_STEP if chosen else {}

    traces: list[int] = []

    def traced(tree: PyTree, batch: PyTree, axis_name: str | None = AXIS) -> Any:
        traces.append(len(traces))
        return function(tree, batch, axis_name)

    if how == "jit":
        alone = functools.partial(traced, axis_name=None)
        shardings = {"in_shardings": (whole, split), "out_shardings": whole}
        compiled = jax.jit(alone, **shardings, donate_argnums=donated, compiler_options=options)
    elif how == "pmap":
        compiled = jax.pmap(traced, AXIS, in_axes=(None, 0), out_axes=None, devices=devices, donate_argnums=donated)
    elif how == "shard_map":
        mapped = jax.shard_map(traced, mesh=mesh, in_specs=(whole.spec, split.spec), out_specs=whole.spec)
        compiled = jax.jit(mapped, in_shardings=(whole, split), donate_argnums=donated, compiler_options=options)
    else:
        raise ValueError(f"how must be 'jit', 'pmap' or 'shard_map', not {how!r}")
    return Parallel(how, mesh, compiled, traces)


def run_once(function: Callable, *arguments: Any) -> Any:
    """Return `function(*arguments)`, compiled with the least effort: for initial parameters and states.

    Most of the time that a fresh network takes goes into compiling the random draws of its parameters.
    """
    options = CPU_ONCE if jax.default_backend() == "cpu" else {}
    return jax.jit(function, compiler_options=options)(*arguments)


def initialise_distributed(
    address: str | None = None, *, processes: int | None = None, process: int | None = None, heartbeat: int = 100
) -> None:
    """Join the processes of a job; call it once, before anything else touches a device.

    Without arguments the cluster (a TPU pod, Slurm, ...) is detected. With them, process number `process` of
    `processes` meets the others at `address` ("host:port" of process 0, the only interface that is opened), and a
    process silent for `heartbeat` seconds ends the job.
    """
    if address is None:
        jax.distributed.initialize(heartbeat_timeout_seconds=heartbeat)
    else:
        jax.distributed.initialize(
            address,
            processes,
            process,
            coordinator_bind_address=address,
            cluster_detection_method="deactivate",
            heartbeat_timeout_seconds=heartbeat,
        )
