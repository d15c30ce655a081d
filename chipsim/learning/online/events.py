"""Who triggers a rule: each function lists the postsynaptic neurons of one kind of event, in ascending order (docs/online.md section 2)."""

from __future__ import annotations

from chipsim.kernels._jit import inner
from chipsim.kernels.fixed import wide


@inner
def find_readout(t, p, quiet, circuit, work, walk):
    """List the classes of the readout p at step t. Returns how many.

    quiet: neurons whose signal is 0 are left out, since the rule does nothing there.
    """
    lo, count = circuit.lo[p], 0
    for n in range(lo, circuit.hi[p]):
        if not quiet or walk.signal[t, n] != 0:
            put(count, n, t, lo, wide(walk.signal[t, n]) * 0, walk)
            count += 1
    return count


@inner
def find_active(t, p, quiet, circuit, work, walk):
    """List the active neurons of population p at step t with psi and L; quiet: as above. Returns how many."""
    lo, count = circuit.lo[p], 0
    at = t * len(circuit.lo) + p
    for r in range(work.active.start[at], work.active.start[at + 1]):
        n = work.active.unit[r]
        if not quiet or walk.signal[t, n] != 0:
            put(count, n, t, lo, wide(work.active.gain[r]), walk)
            count += 1
    return count


@inner
def find_errors(t, p, circuit, work, walk):
    """List the neurons of population p with a signal (what is below the threshold of errors is 0 already)."""
    lo, count = circuit.lo[p], 0
    for n in range(lo, circuit.hi[p]):
        if walk.signal[t, n] != 0:
            put(count, n, t, lo, wide(walk.signal[t, n]) * 0, walk)
            count += 1
    return count


@inner
def find_posts(t, p, circuit, work, walk):
    """List the neurons of population p that spike at step t."""
    lo, at, count = circuit.lo[p], t * len(circuit.lo) + p, 0
    for r in range(work.spikes.start[at], work.spikes.start[at + 1]):
        n = work.spikes.unit[r]
        put(count, n, t, lo, wide(walk.signal[t, n]) * 0, walk)
        count += 1
    return count


@inner
def find_all(t, p, circuit, work, walk):
    """List all neurons of population p."""
    lo = circuit.lo[p]
    for n in range(lo, circuit.hi[p]):
        put(n - lo, n, t, lo, wide(walk.signal[t, n]) * 0, walk)
    return circuit.hi[p] - lo


@inner
def put(count, n, t, lo, gain, walk):
    """Enter neuron n into the list."""
    walk.unit[count] = n - lo
    walk.gain[count] = gain
    walk.error[count] = walk.signal[t, n]
