"""The process of one subject: reads one JSON request a line on stdin, answers one JSON object a line. Runs in any Python with numpy.

    python host.py FILE.py

The file has a class Subject; a request {"do": NAME, ...} calls that method of it (chip), or of the `Training` around it. What the subject
prints goes to stderr.
"""

from __future__ import annotations

import gc
import importlib.util
import json
import os
import sys
import time
import traceback

if sys.path and os.path.samefile(sys.path[0] or ".", os.path.dirname(os.path.abspath(__file__))):
    del sys.path[0]  # files here are no modules: a peer's library may have such a name

import numpy as np  # noqa: E402

SMALL = 4  # samples of the step before the one whose memory is measured


class Case:
    """What `workloads.Case.save` wrote."""

    def __init__(self, folder, samples=None):
        stored = np.load(os.path.join(folder, "case.npz"))
        mine = slice(None) if samples is None else stored["sample"] < samples
        self.t, self.sample, self.unit = (stored[name][mine] for name in ("t", "sample", "unit"))
        self.labels = stored["labels"][:samples]
        self.weights = [stored[f"w{n}"] for n in range(3)]
        self.steps, self.tau, self.half_width = int(stored["steps"]), float(stored["tau"]), float(stored["half_width"])
        self.alpha = float(np.float32(np.exp(-1 / self.tau)))
        self.batch, self.units = len(self.labels), len(self.weights[0])

    def dense(self):
        """Return the input [T, B, N] float32."""
        x = np.zeros((self.steps, self.batch, self.units), dtype=np.float32)
        x[self.t, self.sample, self.unit] = 1
        return x


class Training:
    """Times the steps of a Subject: `forward()` with the loss, `backward()` with all weight gradients; or both in `step()`.

    again: of a Subject whose backward runs forward once more, which is taken off. static: of one whose shapes are compiled, so that the
    first full step compiles too.
    """

    def __init__(self, kind, folder, threads, **options):
        self.kind, self.folder, self.threads, self.options, self.subject = kind, folder, threads, options, None

    def first(self):
        """Run a step of few samples, then the first full one; return its peak memory, loss and what the subject holds."""
        began = time.perf_counter()
        few = self.kind(Case(self.folder, SMALL), self.threads, **self.options)  # kept, so that nothing reuses its memory
        self.timed(few)
        self.subject = self.kind(Case(self.folder), self.threads, **self.options)
        static = getattr(self.subject, "static", False)
        if static:
            self.timed(self.subject)
        gc.collect()
        possible = reset_peak()
        before = resident("VmRSS")
        self.timed(self.subject)
        peak = (resident("VmHWM") - before) / 1e6 if possible else None
        del few
        held = getattr(self.subject, "held", lambda: None)()
        return {"loss": float(self.subject.loss()), "peak_mb": peak, "peak_comparable": not static, "held_bytes": held,
                "start_s": time.perf_counter() - began}  # fmt: skip

    def steps(self, count):
        """Return [forward, backward] CPU and wall seconds of so many steps."""
        return {"steps": [self.timed(self.subject) for _ in range(count)]}

    def timed(self, subject):
        """Run one step; return CPU and wall seconds of forward, then of backward."""
        if hasattr(subject, "step"):
            return subject.step()
        marks = [now()]
        subject.forward()
        marks.append(now())
        subject.backward()
        marks.append(now())
        forward, backward = ([b - a for a, b in zip(*pair, strict=True)] for pair in (marks[:2], marks[1:]))
        if getattr(subject, "again", False):
            backward = [max(0.0, b - a) for a, b in zip(forward, backward, strict=True)]
        return [*forward, *backward]

    def check(self, path):
        """Write the gradients of the last step, and the spikes where the subject has them."""
        found = {f"g{n}": np.asarray(g) for n, g in enumerate(self.subject.gradients())}
        for n, raster in enumerate(getattr(self.subject, "spikes", lambda: [])()):
            found[f"s{n}"] = np.packbits(raster)
        np.savez(path, **found)
        return {"loss": float(self.subject.loss())}

    def extra(self, name):
        """Return what the subject alone knows."""
        return getattr(self.subject, name)()


def now():
    """Return process CPU and wall seconds."""
    return time.process_time(), time.perf_counter()


def resident(key):
    """Return a size of this process in bytes; 0 where the system does not say."""
    try:
        with open("/proc/self/status") as file:
            return next((1024 * int(line.split()[1]) for line in file if line.startswith(key)), 0)
    except OSError:
        return 0


def reset_peak():
    """Let the high-water mark of resident memory start again; return whether the system can."""
    try:
        with open("/proc/self/clear_refs", "w") as file:
            file.write("5")
    except OSError:
        return False
    return True


def serve(kind, answers):
    """Answer requests until stdin ends."""
    subject = None
    for line in sys.stdin:
        request = json.loads(line)
        do = request.pop("do")
        try:
            if do == "training":
                subject, answer = Training(kind, **request), {}
            elif do == "chip":
                subject, answer = kind(**request), {}
            else:
                answer = getattr(subject, do)(**request)
        except Exception as error:  # the parent says so and goes on with the others
            traceback.print_exc()
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), file=answers, flush=True)


def main():
    """Load the file named and serve."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    try:
        spec = importlib.util.spec_from_file_location("bench_subject", sys.argv[1])
        module = importlib.util.module_from_spec(spec)
        sys.modules["bench_subject"] = module
        spec.loader.exec_module(module)
    except Exception as error:
        traceback.print_exc()
        print(json.dumps({"error": f"{type(error).__name__}: {error}"}), file=answers, flush=True)
        return
    print(json.dumps({"ready": True}), file=answers, flush=True)
    serve(module.Subject, answers)


if __name__ == "__main__":
    main()
