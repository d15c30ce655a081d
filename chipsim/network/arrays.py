"""Explicit weights and delays: what is wrong with arrays a user gives."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from chipsim.errors import Problem
from chipsim.network.draw import weight_shape
from chipsim.network.projection import MOST_DELAY

LARGEST = 1e6  # thresholds: no sensible weight, but far from where numbers break

if TYPE_CHECKING:
    from chipsim.network.description import Network


def weight_problems(network: Network, weights: dict[str, np.ndarray]) -> list[Problem]:
    """Return what is wrong with explicit weights: names, shapes, numbers that are not finite or no mantissas."""
    name = f'weights of network "{network.name}"'
    shapes = {
        key: weight_shape(p, network.population[a], network.population[b])
        for key, p, (a, b) in zip(network.names, network.projection, network.ends, strict=True)
    }
    found = key_problems(name, weights, shapes)
    if not isinstance(weights, Mapping):
        return found
    for k, (key, shape) in enumerate(shapes.items()):
        if key not in weights:
            found.append(Problem(name, key, "(nothing)", f"an array of shape {list(shape)} is required"))
            continue
        array, problem = real_array(name, key, weights[key], shape)
        found += problem
        if not problem:
            found += value_problems(name, key, array, network, k)
    return found


def key_problems(name: str, arrays: object, shapes: dict[str, tuple[int, ...]]) -> list[Problem]:
    """Return what is wrong with the form and the names of a dict of arrays."""
    if not isinstance(arrays, Mapping):
        return [Problem(name, "form", type(arrays).__name__, f"a dict with {', '.join(shapes)} is required")]
    return [Problem(name, key, "given", f"known: {', '.join(shapes)}") for key in arrays if key not in shapes]


def real_array(name: str, key: str, given: object, shape: tuple[int, ...]) -> tuple[np.ndarray | None, list[Problem]]:
    """Return `given` as an array, and why it is none of real, finite numbers in this shape."""
    try:
        array = np.asarray(given)
        real = array.dtype.kind in "biuf"
    except ValueError:  # rows of different lengths
        real = False
    if not real:
        return None, [Problem(name, key, given, "an array of real numbers is required")]
    if array.shape != shape:
        form = "[N_pre, N_post]" if len(shape) == 2 else "[K, kx, ky, C / groups]"
        return None, [Problem(name, key, f"shape {list(array.shape)}", f"{form} = {list(shape)} is required")]
    if not np.isfinite(array).all():
        bad = tuple(int(x) for x in np.argwhere(~np.isfinite(array))[0])
        return None, [Problem(name, f"{key}[{', '.join(map(str, bad))}]", array[bad], "every entry must be finite")]
    return array, []


def value_problems(name: str, key: str, array: np.ndarray, network: Network, k: int) -> list[Problem]:
    """Return what is wrong with the values of a projection's weights."""
    projection, found = network.projection[k], []
    largest = np.abs(array.astype(np.float64)).max() if array.size else 0
    if projection.mantissa:
        if (array != np.rint(array)).any() or largest >= 2**31:
            found.append(Problem(name, key, array[array != np.rint(array)][:1] or largest, "mantissas are 32-bit integers"))
        elif projection.kind == "conv" and (array.min() < -128 or array.max() > 127):
            found.append(Problem(name, key, largest, "the kernel of a convolution has 8 bits: -128 to 127"))
    elif largest > LARGEST:
        found.append(Problem(name, key, largest, f"a weight is at most {LARGEST:g} thresholds"))
    if projection.kind == "sparse" and projection.density is not None and array[~network.mask(k)].any():
        found.append(
            Problem(name, key, "a weight", "it is not among the synapses drawn with this density; leave the density out")
        )
    return found


def delay_problems(network: Network, delays: dict[str, np.ndarray]) -> list[Problem]:
    """Return what is wrong with explicit delays."""
    name = f'delays of network "{network.name}"'
    shapes = {
        key: (network.population[a].size, network.population[b].size)
        for key, p, (a, b) in zip(network.names, network.projection, network.ends, strict=True)
        if p.kind != "conv"
    }
    found = key_problems(name, delays, shapes)
    for key in [key for key in shapes if not found and key in delays]:
        array, problem = real_array(name, key, delays[key], shapes[key])
        found += problem
        if not problem and ((array != np.rint(array)).any() or array.min() < 0 or array.max() > MOST_DELAY):
            worst = array[(array != np.rint(array)) | (array < 0) | (array > MOST_DELAY)].flat[0]
            found.append(Problem(name, key, worst, f"delays are whole numbers from 0 to {MOST_DELAY}"))
    return found
