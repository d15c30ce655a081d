"""eprop: eligibility propagation for neurons with a fixed or an adaptive threshold."""

from chipsim.learning.language import Active, Learn, Neuron, PreTrace, SynState, rule, times


@rule
class Eprop:
    """Eligibility traces at the synapses, smoothed like the readout, meet the learning signal in every step.

        e_ij[t+1] = a_r e_ij[t] + psi_j[t] (x_i[t] - jump_j a_ij[t])         a_r: decay of the readout
        a_ij[t+1] = rho_j a_ij[t] + psi_j[t] (x_i[t] - jump_j a_ij[t])       where the threshold of j adapts; else jump = a = 0
        dw_ij = -L_j[t] e_ij[t]                             in every step with a signal
        L_j[t] = sum_c w_jc G_c[t]                          (deeper layers: through the active neurons above, same step)

    Exact for the last hidden layer. Left out: paths of the error through other neurons in time (recurrence, layers below); in
    loihi-lif, that a spike of j sets its potential to zero (its trace x goes on). a_ij has decayed when it is read, so its jump is that
    of the neuron divided by rho. Signals, by learning.signal: sym (symmetric e-prop), dfa (random e-prop), adaptive (adaptive e-prop,
    without its weight decay). Every synapse has a state, two where the threshold of j adapts, and decays in every step.
    Source: Bellec et al. 2020, A solution to the learning dilemma for recurrent networks of spiking neurons, equations 4, 22 to 25, 28.
    """

    x = PreTrace(tau="post", bits=12, frac=8)
    psi = Active()
    e = SynState(tau="readout", bits=16, frac=8)
    a = SynState(tau="adaptation", bits=16, frac=8)
    jump = Neuron("jump/rho", bits=16, frac=10)
    L = Learn("sym", align="same")

    def e_on_active(e, psi, x, a, jump):
        return e + times(psi, x - times(jump, a))

    def a_on_active(a, psi, x, jump):
        return a + times(psi, x - times(jump, a))

    def dw_on_error(e, L):
        return -L * e

    def dw_on_readout(x, L):
        return -x * L


RULE = Eprop
