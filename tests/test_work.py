"""The guard against slower kernels: work per event, counted in the sources; nothing is timed."""

from __future__ import annotations

import ast
import copy
import json
import shutil

import pytest
from lend import ROOT, benchmark

work = benchmark("work")
JOB = {"events": {"forward synops": 10}, "functions": {"deliver.add": [10, 90, 0], "step.run": [1, 30, 20], "small": [0, 0, 0]}}


def test_no_kernel_does_more_per_event_than_is_stored():
    """A kernel that was made to do more, renamed or added: make it leaner, or renew the table on purpose."""
    found = work.measure()
    said = work.complaints(json.loads(work.RESULTS.read_text()), found)
    assert not said, "\n".join(["", *said, work.RENEW])
    assert len(found) == len(work.jobs()) >= 5
    for job in found.values():
        assert sum(job["events"].values()) > 10_000 and len(work.hot(job)) > 15
        assert {"simulator", "kernels", "neurons"} <= {name.partition(".")[0] for name in job["functions"]}


def changed(**functions):
    job = copy.deepcopy(JOB)
    job["functions"].update(functions)
    return {"job": job}


@pytest.mark.parametrize(
    "row, words", [([10, 91, 0], ""), ([10, 80, 0], ""), ([10, 94, 0], "+4.0% over the 10 stored"), ([20, 90, 0], "+10.0%")]
)
def test_more_work_is_named_with_function_and_figures(row, words):
    said = work.complaints({"job": JOB}, changed(**{"deliver.add": row}))
    assert (said == []) if not words else ("job: deliver.add does" in said[0] and words in said[0] and len(said) == 1)


def test_functions_that_the_table_does_not_know_ask_for_renewal():
    said = work.complaints({"job": JOB}, changed(**{"deliver.other": [10, 90, 0]}))
    assert said == ["job: deliver.other is not in the table: 10 per event"]
    job = changed()
    del job["job"]["functions"]["step.run"]
    assert work.complaints({"job": JOB}, job) == ["job: step.run is in the table and did not run: renamed, or needed no more"]
    assert work.complaints({}, changed()) == ["job: the table has no such job"]
    assert "--write" in work.RENEW and json.loads(work.stored_form(changed())) == changed()


SOURCE = b'''
"""A module."""
TOTAL = [0]
for n in range(3):
    TOTAL[0] += n

def outer(a):
    """Two loops."""
    def inner(b):
        return b + 1
    for i in range(len(a)):
        for j in range(i):
            a[j] = inner(a[j])
    a[1:3] = 7
    a[:] += 1
    while a[0] < 100:
        a[0] *= 2
'''


def test_calls_turns_and_elements_are_counted(monkeypatch):
    import numpy as np

    monkeypatch.setattr(work, "names", [])
    monkeypatch.setattr(work, "counts", [])
    scope = {"__counts__": work.counts, "__size__": np.size}
    exec(work.counted(SOURCE, "m", "m.py"), scope)
    scope["outer"](np.array([12, 0, 0, 0]))
    # a[0] is 12, made 15, then 16: doubled until 128
    assert work.functions() == {"m.outer": [1, 4 + 6 + 3, 2 + 4], "m.outer.inner": [6, 0, 0]}
    assert scope["outer"].__doc__ == "Two loops." and scope["__doc__"] == "A module."


def test_a_kernel_that_does_more_is_found(tmp_path):
    """The hottest function of a job gets two turns of an empty loop more at every call."""
    job, stored = "simulate, lists with delays", json.loads(work.RESULTS.read_text())
    name = max(stored[job]["functions"], key=lambda function: stored[job]["functions"][function][0])
    *module, function = name.split(".")
    for folder in ("chipsim", "hw_configs", "models"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    file = (tmp_path / "chipsim").joinpath(*module).with_suffix(".py")
    tree = ast.parse(file.read_text())
    node = next(node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == function)
    node.body.insert(1, ast.parse("for _ in range(2): pass").body[0])
    file.write_text(ast.unparse(ast.fix_missing_locations(tree)))
    said = work.complaints({job: stored[job]}, work.measure((job,), tmp_path))
    assert [line for line in said if line.startswith(f"{job}: {name} does") and "+200.0%" in line], said


vectors = benchmark("vectors")


@pytest.mark.skipif(not vectors.here(), reason="the table of vector instructions is of x86-64")
def test_hot_kernels_keep_their_vector_instructions():
    found = vectors.measure()
    said = vectors.complaints(json.loads(vectors.RESULTS.read_text()), found)
    assert not said, "\n".join(["", *said, vectors.RENEW])
    assert len(found) == 4 and all(row["packed"] > 20 and row["wide"] for row in found.values())


ASSEMBLY = """
\tvaddps\t(%rax), %ymm0, %ymm1
\tvpaddq\t%xmm2, %xmm3, %xmm4
\tvfmadd231pd\t%ymm2, %ymm3, %ymm4
\tvaddss\t%xmm0, %xmm1, %xmm2
\tvmovaps\t%ymm0, %ymm1
\taddq\t$1, %rax
"""


def test_a_kernel_without_vectors_is_named():
    assert vectors.instructions(ASSEMBLY) == {"packed": 3, "wide": 2, "scalar": 1}
    assert vectors.instructions(ASSEMBLY.replace("vaddps", "vaddss").replace("vpaddq", "addq"))["packed"] == 1
    row = {"packed": 100, "wide": 40, "scalar": 3}
    same = {"a": row, "b": row}
    assert vectors.complaints(same, {"a": {"packed": 50, "wide": 20, "scalar": 90}, "b": row}) == []
    assert vectors.complaints(same, {"a": {"packed": 49, "wide": 40, "scalar": 3}, "b": row}) == [
        "a: 49 packed instructions, 100 stored"
    ]
    assert vectors.complaints(same, {"a": {"packed": 100, "wide": 0, "scalar": 3}, "b": row}) == [
        "a: 0 wide instructions, 40 stored"
    ]
    assert sorted(vectors.complaints(same, {"a": row, "c": row})) == ["b: only in the table", "c: only in the code"]
