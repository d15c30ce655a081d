"""eprop: eligibility propagation for LIF neurons."""

from chipsim.learning.language import Active, Learn, PreTrace, SynState, rule, times


@rule
class Eprop:
    """Eligibility traces at the synapses, smoothed like the readout, meet the learning signal in every step.

        e_ij[t+1] = a_r e_ij[t] + psi_j[t] x_i[t]           a_r: decay of the readout
        dw_ij = -L_j[t] e_ij[t]                             in every step with a signal
        L_j[t] = sum_c w_jc G_c[t]                          (deeper layers: through the active neurons above, same step)

    Exact for the last hidden layer. Left out: paths of the error through other neurons in time (recurrence, layers below).
    Signals: sym (symmetric e-prop), dfa (random e-prop) by learning.signal. Every synapse has a state and decays in every step.
    Source: Bellec et al. 2020, A solution to the learning dilemma for recurrent networks of spiking neurons, equations 4, 22, 28.
    """

    x = PreTrace(tau="post", bits=12, frac=8)
    psi = Active()
    e = SynState(tau="readout", bits=16, frac=8)
    L = Learn("sym", align="same")

    def e_on_active(e, psi, x):
        return e + times(psi, x)

    def dw_on_error(e, L):
        return -L * e

    def dw_on_readout(x, L):
        return -x * L


RULE = Eprop
