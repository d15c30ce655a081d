"""Dead networks: hidden layers without a spike or an active event, which nothing can train (docs/semantics.md section 6)."""

from __future__ import annotations

from typing import Any, NamedTuple

from chipsim.compiler import ChipImage
from chipsim.errors import Problem
from chipsim.learning import rule_of
from chipsim.learning.language.given import Active

SILENT_LIMIT = 0.5  # share of neurons that never spike, above which a reader is warned


class Layer(NamedTuple):
    """What a hidden population did over some samples: spikes and active events per sample, share of neurons that never spiked."""

    name: str
    spikes: float
    active: float
    silent: float


def needs_active(image: ChipImage) -> bool:
    """Return whether the rule trains hidden populations by active events."""
    rule = rule_of(image.network.learning)
    return bool(rule.trains_hidden) and any(isinstance(f, Active) for f in getattr(rule, "text", rule).fields.values())


def spike_hint(image: ChipImage, name: str) -> str:
    """Return what gives a population spikes."""
    keys = [f"projection.{k}" for k, p in enumerate(image.network.projection) if p.post == name]
    return (
        f"raise {' or '.join(f'{key}.gain' for key in keys)}, set {keys[0]}.init = 'membrane', or raise population.{name}.tau_ms"
    )


def active_hint(name: str) -> str:
    """Return what gives a population active events."""
    return f"raise learning.half_width, or the gain of the projections to {name}, so that V comes near the threshold"


def dead_problems(image: ChipImage, layers: tuple[Layer, ...], samples: int) -> list[Problem]:
    """Return the layers that are dead before training. Silent ones with active events live if a regulariser asks for spikes."""
    terms, found = image.network.learning.regularisers, []
    wakes = needs_active(image) and terms is not None and terms.lower > 0 and terms.f_lower > 0
    for layer in layers:
        where = f'population "{layer.name}"'
        if layer.spikes == 0 and not (wakes and layer.active > 0):
            limit = f"a hidden population must spike to be trained ({samples} samples at the initial weights)"
            found.append(Problem(where, "spikes", 0, limit, spike_hint(image, layer.name)))
        if layer.active == 0 and needs_active(image):
            limit = f"a neuron learns only when it is active ({samples} samples at the initial weights)"
            found.append(Problem(where, "active events", 0, limit, active_hint(layer.name)))
    return found


def death_warnings(image: ChipImage, metrics: list[dict[str, Any]]) -> list[str]:
    """Return which layers were dead over a whole pass, and those of which most neurons never spiked in the last one."""
    found = []
    for hidden in image.network.populations[1:-1]:
        rows = [(row["pass"], row["activity"][hidden.name]) for row in metrics]
        for key, needed, what, hint in (
            ("spike_fraction", True, "never spiked", spike_hint(image, hidden.name)),
            (
                "active_fraction",
                needs_active(image),
                "never had an active neuron, so nothing below it learned",
                active_hint(hidden.name),
            ),
        ):
            dead = [n for n, activity in rows if activity[key] == 0]
            if dead and needed:
                found.append(f"{hidden.name} {what} in {passes(dead)}: {hint}")
        silent = metrics[-1]["silent_fraction"][hidden.name] if metrics else 0
        if SILENT_LIMIT < silent < 1:
            found.append(
                f"{silent:.0%} of the neurons of {hidden.name} never spiked in the last pass: {spike_hint(image, hidden.name)}"
            )
    return found


def passes(numbers: list[int]) -> str:
    """Return pass numbers in words, the first and the last of many."""
    if len(numbers) > 3:
        return f"{len(numbers)} passes, {numbers[0]} to {numbers[-1]}"
    return f"pass {', '.join(map(str, numbers))}"
