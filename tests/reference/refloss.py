"""What turns class scores and spike counts into errors: docs/semantics.md section 4 and the regularisers of section 5."""

from __future__ import annotations

from refmesh import Packet


def spread_error(chip, label: int, result) -> None:
    """Send the scores to the lowest-numbered readout core, and q from there to every readout core, itself included."""
    last, at = len(chip.spec["populations"]) - 1, chip.steps - 1
    readout, judge = chip.spec["populations"][last], chip.receivers[-1][0]
    cells = [(core.id, cell) for core in chip.cores.values() for cell in core.compartments if cell.population == last]
    scores = {cell.neuron: cell.score for core, cell in cells if core == judge}
    for core, cell in cells:
        if core != judge:
            chip.mesh.send(Packet("score", core, judge, at, at, last, cell.neuron, value=cell.score))
    scores.update({packet.neuron: packet.value for packet in chip.mesh.arrivals(at)})
    result.q, result.loss = chip.numerics.softmax([scores[c] for c in sorted(scores)], label, readout)
    for c, q in enumerate(result.q):
        chip.counters["backward", "replay", "softmax_evaluations", at, judge] += 1
        for target in chip.receivers[-1]:
            chip.mesh.send(Packet("broadcast", judge, target, at, at, last, c, value=q))
    for packet in chip.mesh.arrivals(at):
        for core, cell in cells:
            if (core, cell.neuron) == (packet.target, packet.neuron):
                cell.injection = chip.numerics.injection(packet.value, readout)
    result.injections = chip.gather_state("injection")[-1]


def spread_penalty(chip, result) -> None:
    """Set reg of every hidden neuron. How the mean count of a population reaches its neurons is not counted."""
    rule = chip.spec["regulariser"]
    for p, pop in enumerate(chip.spec["populations"] if rule else ()):
        if pop["kind"] != "delta-lif":
            continue
        cells = [cell for core in chip.cores.values() for cell in core.compartments if cell.population == p]
        busy = sum(cell.spikes for cell in cells) / pop["size"] > rule["f_upper"]
        for cell in cells:
            if busy:
                cell.penalty += chip.numerics.penalty(rule["lambda_upper"] / pop["size"], pop)
            if cell.spikes < rule["f_lower"]:
                missing = rule["f_lower"] - cell.spikes
                cell.penalty -= chip.numerics.penalty(2 * rule["lambda_lower"] / pop["size"] * missing, pop)
    result.penalties = chip.gather_state("penalty", "delta-lif")
