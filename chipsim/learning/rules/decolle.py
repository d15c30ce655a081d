"""decolle: every hidden layer has a readout of its own."""

from chipsim.learning.language import Active, Learn, PreTrace, rule, times


@rule
class Decolle:
    """Deep continuous local learning: the error of a layer is that of a local readout with fixed random weights.

        dw_ij = -x_i[t] psi_j[t] L_j[t]                     at every active event (j, t) with a signal
        L_j[t] = sum_c g_jc E_c[t+1]                        E: softmax error of the local readout r_c, formed in every step
        r_c[t+1] = a_r r_c[t] + (1 - a_r) sum_j g_jc s_j[t]

    Exact for the local readout in the step a spike reaches it; left out: its later steps, and everything that other layers do with
    the spikes. Local readouts are leaky, as the network's, and their loss is cross entropy where the paper has a smooth L1 loss on the
    spikes of the step. learning.error_threshold makes it error-triggered (Payvand et al. 2020).
    Source: Kaiser, Mostafa & Neftci 2020, Front. Neurosci. 14:424, equations 5 to 9.
    """

    sharpness = 3
    x = PreTrace(tau="post", bits=12, frac=8)
    psi = Active()
    L = Learn("local", align="next")

    def dw_on_active(x, psi, L):
        return -x * times(psi, L)

    def dw_on_readout(x, L):
        return -x * L


RULE = Decolle
