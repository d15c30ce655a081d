"""`chipsim check`: compile only. Does it fit, and how much of every limit does each core use?"""

from __future__ import annotations

from typing import Annotated

import typer

from chipsim.cli import flags
from chipsim.cli.frame import Answer, header
from chipsim.errors import CapacityError


def check(
    model: flags.ModelName = flags.MODEL,
    chip: flags.ChipName = flags.CHIP,
    numerics: flags.Numerics = "fixed",
    inference: Annotated[bool, typer.Option("--inference", help="Lay out the network without learning.")] = False,
    what_if: flags.WhatIf = False,
    changes: flags.Set = None,
) -> Answer:
    """Compile only: does it fit, how full is each core?"""
    network, description = flags.load(model, chip, changes, what_if, flags.numerics_problems(numerics))
    from chipsim.compiler import compile_network, field_rows, memory_rows, memory_summary, propose, quantization
    from chipsim.report.fit import check_text

    try:
        image = compile_network(network, description, learn=not inference, numerics=numerics)
    except CapacityError as error:
        error.proposals = tuple(proposal.text for proposal in propose(network, description, learn=not inference))
        raise
    facts = {
        **header("check"), "model": network.name, "chip": description.name, "numerics": numerics, "learning": not inference,
        "fits": True, "cores_used": image.cores_used, "cores": description.mesh.cores, "memory_bits": memory_summary(image),
        "per_core": memory_rows(image), "quantization": quantization(image), "fields": field_rows(image),
    }  # fmt: skip
    return Answer(facts, check_text(facts))
