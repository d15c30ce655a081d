"""Arrays of an online rule. Letters as in chipsim.state; A, B, E: pre-trace, post and synapse fields of the rule, I: pre entries."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np


class Field(NamedTuple):
    """How the fields of one place are stored and decay: one entry per field (F) and projection or population (Q)."""

    word: np.ndarray  # [F, Q] number: decay word in 1/4096, or the factor
    impulse: np.ndarray  # [F] number: what a spike adds
    top: np.ndarray  # [F] int64: largest value
    rounding: np.ndarray  # [F] int64: kernels.fixed.ROUNDINGS
    stream: np.ndarray  # [F] int64: of its random words


class Setup(NamedTuple):
    """What a rule needs to know of the network; constant."""

    hidden: np.ndarray  # [K] bool: leads to a hidden population
    readout: np.ndarray  # [K] bool: leads to the readout
    first: np.ndarray  # [K] int64: first pre entry of the projection
    adapts: np.ndarray  # [K] bool: the threshold of its target adapts
    pre: Field
    current: Field  # first stage of pre traces, [A, K]; word 0: there is none
    post: Field
    synapse: Field
    kept: np.ndarray  # [E, K] bool: the synapse state exists
    shift: np.ndarray  # [H, K] int64: right shift of each increment into the accumulator
    order: np.ndarray  # [P] int64: hidden populations from the readout down, those that do not reach it last, then -1
    toward: np.ndarray  # [K] bool: carries errors toward the readout
    membrane: np.ndarray  # [P] number: decay word of the potential in 1/4096, or the factor
    source: np.ndarray  # [P] int64: where signals come from (signals.SOURCES)
    read: np.ndarray  # [A, K] bool: a hook of the projection reads the pre trace
    feedback: np.ndarray  # [N, C] int64 or float: fixed random weights b_jc of direct feedback
    layerwise: np.ndarray  # [W] number: random weights in place of w (fa, adaptive); empty where they are not used
    epoch: int  # steps between two on_epoch events
    threshold: np.ndarray  # [P] number: signals of at most this size are 0
    constants: np.ndarray  # [D] number: constants of the rule
    potential: np.ndarray  # [U, P] int64: right shift of a potential into the format of its field
    potential_bits: np.ndarray  # [U] int64
    random_bits: np.ndarray  # [R] int64: width of a random field; its stream is RANDOM + its number
    neuron: np.ndarray  # [J, K] number: constants of the target's neurons


class Walk(NamedTuple):
    """State during one sample."""

    pre: np.ndarray  # [A, I] number
    current: np.ndarray  # [A, I] number: first stage of traces with two
    post: np.ndarray  # [B, N] number
    synapse: np.ndarray  # [E, W] number
    live: np.ndarray  # [I] int64: presynaptic neurons with a trace that is not 0, from first[k] on
    count: np.ndarray  # [K] int64: how many
    signal: np.ndarray  # [T, N] number: L
    inject: np.ndarray  # [T, C] number: G
    past: np.ndarray  # [T, N] number: decaying sums of past errors (source sym-trace), else [0, N]
    local: np.ndarray  # [T, P, C] number: errors of local readouts (source local), else [0, P, C]
    place: np.ndarray  # [N] int64: place of a neuron in the list at hand + 1, while lists of synapses are walked; else 0
    unit: np.ndarray  # [N] int64: the neurons of the event at hand, counted from the first of its population
    gain: np.ndarray  # [N] number: their psi
    error: np.ndarray  # [N] number: their L
    reward: np.ndarray  # [1] number: 1 or -1
    counts: np.ndarray  # [COUNTS, T, S] int64: what happened (docs/online.md section 4)


TRACE_DECAYS, TRACE_UPDATES, STATE_DECAYS, SIGNAL_ADDS, DRAWS = 0, 1, 2, 3, 4
RANDOM = 48  # stream of the first random field of a rule
EVENTS = ("readout", "active", "pre", "post", "error", "epoch", "sample_end")  # evaluations of each start at FIRST_EVENT
FIRST_EVENT = 5
COUNTS = FIRST_EVENT + len(EVENTS)
