"""The loop over the steps of a sample, as simulator.step.run, with projections that learn on the way (docs/lava-learning.md).

A spike of step t travels with the weights that were there before the learning of step t: it is delivered in step t + 1, and only
then does the learning of step t take place. That of the last step takes place after all: it changes what is left, not what was sent.
"""

from __future__ import annotations

from chipsim.kernels._jit import entry
from chipsim.learning.lava.epoch import forget, learn
from chipsim.simulator.deliver import deliver
from chipsim.simulator.step import fire, inject, read_out, remember, reset, send


@entry
def run_plastic(steps, circuit, wires, weights, inputs, work, learning):
    """Run one sample forward and learn; `weights` are written. inputs: a SpikeLog of the input population alone."""
    reset(work)
    forget(learning)
    for t in range(steps + 1):  # one call of `learn` for all steps, the last included: it is pasted in here
        if t < steps:
            deliver(t, wires, weights, work.spikes, work.lines)
        if t > 0:
            learn(t - 1, circuit, weights, work.spikes, learning)
        if t < steps:
            inject(t, circuit, inputs, work.spikes, work.activity.spikes)
            fire(t, steps, circuit, work)
            send(t, circuit, work.membranes.cells.payload, work.spikes, work.activity.spikes)
            remember(t, circuit, work.membranes, work.spikes, work.active, work.activity)
            read_out(t, circuit, work.membranes)
