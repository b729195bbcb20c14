"""Frame averaging: the mean of any module over a few views of its input, in place of a whole group (Puny et al. 2022).

A frame F(x) is a set of group elements that moves with x, F(g x) = g F(x); then sum_g w_g g f(g^-1 x) over it is
equivariant whatever f is (arXiv:2110.03336, eq. 3). As canonical orders, frames jump where they grow, at ties.
"""

import dataclasses
import itertools
from collections.abc import Callable
from typing import Any, NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from symjax.groups import SE, E, Motion, S
from symjax.laws import Equivariance, Law
from symjax.layers.sets.canonical import canonicalise, restore
from symjax.layers.sets.linear import present, set_mean
from symjax.reps import Axis, Points, Rep, Trivial


class Views(NamedTuple):
    """What the elements g of a frame make of a set.

    Attributes:
        members: g^-1 x, zeros at padding.
        masks: its mask.
        back: g, stacked.
        weights: w, of sum one.
    """

    members: Float[Array, "f n c"]
    masks: Bool[Array, "f n"] | None
    back: Any
    weights: Float[Array, " f"]


@dataclasses.dataclass(frozen=True)
class SortedOrders:
    """The orders in which a key rises: all of them where members tie, if they are few.

    Where there are more, the one order where the other channels decide stands for them, which is as lawful.

    Attributes:
        key: Members [n, c] to numbers [n], each from its member alone; without it their first channel.
        most: How many tied orders are averaged, and how often the inner module is called.
    """

    key: Callable[[Array], Array] | None = None
    most: int = 6
    rep = Axis(0)

    def group(self, x: Float[Any, "n c"]) -> S:
        """Return S(n)."""
        return S(x.shape[0])

    def __call__(self, x: Float[Array, "n c"], mask: Bool[Array, " n"] | None) -> Views:
        """Return the set in every order."""
        x = present(x, mask)
        key = jax.lax.stop_gradient(x[:, 0] if self.key is None else self.key(x))
        first = canonicalise(x, mask, key=key).order
        there = jnp.ones_like(first, bool) if mask is None else mask[first]
        follows = (key[first][1:] == key[first][:-1]) & there[1:]
        tied, weights = _tied_orders(jnp.pad(follows, (min(1, len(x)), 0)), self.most)
        orders = first[tied]
        masks = None if mask is None else mask[orders]
        return Views(x[orders], masks, jnp.argsort(orders, axis=1), weights.astype(x.dtype))

    def settle(self, y: Float[Array, "n ..."], x: Array, mask: Array | None) -> Float[Array, "n ..."]:
        """Return outputs for the members, of which equal ones share the mean."""
        canonical = canonicalise(x, mask)
        return present(restore(y[canonical.order], canonical), mask)


def _tied_orders(follows: Bool[Array, " n"], most: int) -> tuple[Int[Array, "f n"], Float[Array, " f"]]:
    """Return all orders of n places that keep runs together, and their weights; a place that follows is in a run.

    Place number r in its run may change with any of the r up to it: so element number i has mixed radix digits.
    """
    places, numbers = jnp.arange(len(follows)), jnp.arange(most)
    starts = jax.lax.cummax(jnp.where(follows, 0, places))
    radix = places - starts + 1
    products = jnp.cumprod(radix.astype(float))
    values = jnp.minimum(products / radix.astype(float), most).astype(int)
    digits = numbers[:, None] // values[None] % radix[None]

    def swap(order: Array, pair: tuple[Array, Array]) -> tuple[Array, None]:
        a, b = pair
        return order[jnp.where(places == a, b, jnp.where(places == b, a, places))], None

    orders = jax.vmap(lambda digits: jax.lax.scan(swap, places, (places, places - digits))[0])(digits)
    count = jnp.max(products, initial=1)
    kept = jnp.where(count <= most, count, 1)
    return orders, jnp.where(numbers < kept.astype(int), 1 / kept, 0)


@dataclasses.dataclass(frozen=True)
class PrincipalAxes:
    """The principal axes of points about their centre, with every choice of their directions, for E(d) or SE(d).

    Where two principal moments are equal, as in symmetrical clouds and of fewer than d points, the axes are not
    determined: there the average is not equivariant, and nearby it jumps.

    Attributes:
        proper: Whether reflections are left out: 2^(d-1) views rather than 2^d.
    """

    proper: bool = False
    rep = Points()

    def group(self, x: Float[Any, "n d"]) -> E | SE:
        """Return the motions of space."""
        return (SE if self.proper else E)(x.shape[1])

    def __call__(self, x: Float[Array, "n d"], mask: Bool[Array, " n"] | None) -> Views:
        """Return the points along their axes, from their centre."""
        centre, d = set_mean(x, mask), x.shape[1]
        apart = present(x - centre[None], mask)
        axes = principal_axes(set_mean(apart[:, :, None] * apart[:, None], mask))
        signs = jnp.asarray(list(itertools.product((1, -1), repeat=d - self.proper)), x.dtype)
        if self.proper:
            last = jnp.sign(jnp.linalg.det(axes)) * jnp.prod(signs, axis=1, keepdims=True)
            signs = jnp.concatenate([signs, last], axis=1)
        turns = axes[None] * signs[:, None]
        count = len(signs)
        masks = None if mask is None else jnp.broadcast_to(mask, (count, len(mask)))
        back = Motion(turns, jnp.broadcast_to(centre, (count, d)))
        return Views(apart[None] @ turns, masks, back, jnp.full(count, 1 / count, x.dtype))

    def settle(self, y: Float[Array, "n ..."], x: Array, mask: Array | None) -> Float[Array, "n ..."]:
        """Return points for the members, zeros at padding."""
        return present(y, mask)


@jax.custom_jvp
def principal_axes(moments: Float[Array, "d d"]) -> Float[Array, "d d"]:
    """Return the eigenvectors of a symmetric matrix as columns, by rising eigenvalue.

    The derivative is zero, not infinite, between eigenvalues that are equal up to rounding.
    """
    return jnp.linalg.eigh(moments)[1]


@principal_axes.defjvp
def _(primals: tuple[Array], tangents: tuple[Array]) -> tuple[Array, Array]:
    values, axes = jnp.linalg.eigh(*primals)
    gaps = values[None] - values[:, None]
    distinct = jnp.abs(gaps) > 8 * len(values) * jnp.finfo(values.dtype).eps * jnp.max(jnp.abs(values), initial=0)
    (change,) = tangents
    turned = axes.T @ ((change + change.T) / 2) @ axes
    return axes, axes @ jnp.where(distinct, turned / jnp.where(distinct, gaps, 1), 0)


class FrameAveraged(nn.Module):
    """Any module on a set, made lawful by its mean over a frame.

    Attributes:
        inner: Module of the members in one view, called with their mask besides where there is one.
        frame: `SortedOrders()` for S(n), `PrincipalAxes()` for E(d) on points; how the inner output moves is `rep_out`.
        rep_out: `Trivial()`; `Axis(0)` for orders; `Points()`, `Vectors()` and so on for axes.
    """

    inner: Callable[..., Array]
    frame: SortedOrders | PrincipalAxes = SortedOrders()
    rep_out: Rep = Trivial()

    def laws(self, x: Float[Any, "n c"]) -> tuple[Law, ...]:
        """The group of the frame moves the output."""
        return (Equivariance(self.frame.group(x), self.frame.rep, self.rep_out),)

    @nn.compact
    def __call__(self, x: Float[Array, "n c"], mask: Bool[Array, " n"] | None = None) -> Float[Array, "..."]:
        """Return the mean over the frame."""
        members, masks, back, weights = self.frame(x, mask)

        def view(module: FrameAveraged, members: Array, mask: Array | None, back: Any) -> Array:
            y = module.inner(members) if mask is None else module.inner(members, mask)
            return module.rep_out.act(back, y)

        over_views = nn.vmap(view, variable_axes={"params": None}, split_rngs={"params": False})
        y = jnp.tensordot(weights, over_views(self, members, masks, back), axes=1)
        return self.frame.settle(y, x, mask) if self.rep_out == self.frame.rep else y
