"""Fuzz for some minutes: ``python tests/fuzz/run.py --minutes 30``.

Prints every distinct finding with the words that run it again, and at the end the minutes, the
examples and the number of findings. ``--only fits`` runs one target; ``--extremes`` takes numbers
near the ends of floating point, too; ``--again TARGET BLOB`` runs one example; ``--every`` tries
every argument with every odd value in place of drawing.
"""

import argparse
import collections
import os
import re
import resource
import sys
import tempfile
import time
import traceback
from pathlib import Path

os.environ.setdefault("MPLBACKEND", "Agg")
sys.path.insert(0, str(Path(__file__).parent))

import hypothesis
import numpy as np
import odd_values
from every_value import every_example
from targets import TARGETS

_BATCH = {"command lines": 10}  # examples between two looks at the clock
_MEMORY = 16 * 2**30  # bytes that a process may have, so that a leak is an error here


class Log:
    """What was found, by its key, with how often."""

    def __init__(self):
        self.found = collections.Counter()
        self.examples = collections.Counter()

    def fails(self, target, example):
        """Run an example; return its error if that is new."""
        self.examples[target] += 1
        try:
            example.run()
        except Exception as error:
            key = getattr(error, "key", f"in the harness: {traceback.format_exc(limit=-2)}")
            if key in self.found:
                self.found[key] += 1
                return None
            return error
        return None


def _batch(target, log, seed, size):
    """Run some examples; print and keep the first new finding."""

    def body(example):
        error = log.fails(target, example)
        if error is not None:
            raise error

    test = hypothesis.seed(seed)(_settings(size)(hypothesis.given(example=TARGETS[target]())(body)))
    try:
        test()
    except Exception as error:
        key = getattr(error, "key", f"in the harness: {traceback.format_exc(limit=-2)}")
        log.found[key] += 1
        notes = "\n".join(getattr(error, "__notes__", []))
        blob = re.search(r"@reproduce_failure\('[^']*', b'([^']*)'\)", notes)
        again = f'--again "{target}" {blob.group(1)}' if blob else f"seed {seed}"
        shown = re.sub(r"\nYou can reproduce.*", "", notes, flags=re.DOTALL)
        print(f"--- {target}: {error}\n{shown}\n    {again}", flush=True)


def _settings(size):
    return hypothesis.settings(
        max_examples=size,
        deadline=None,
        database=None,
        print_blob=True,
        report_multiple_bugs=False,
        phases=[hypothesis.Phase.generate],
        suppress_health_check=list(hypothesis.HealthCheck),
    )


def _again(target, blob):
    decorate = hypothesis.reproduce_failure(hypothesis.__version__, blob.encode())

    def body(example):
        print(repr(example))
        example.run()

    decorate(_settings(1)(hypothesis.given(example=TARGETS[target]())(body)))()


def _every():
    log, start = Log(), time.monotonic()
    for example in every_example():
        error = log.fails("odd values", example)
        if error is not None:
            log.found[getattr(error, "key", str(error))] += 1
            print(f"--- {error}\n{example!r}", flush=True)
    minutes = (time.monotonic() - start) / 60
    print(
        f"{minutes:.1f} minutes, {log.examples.total():,} examples, {len(log.found)} distinct "
        "findings"
    )
    return int(bool(log.found))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--only", choices=sorted(TARGETS), default=None)
    parser.add_argument("--extremes", action="store_true")
    parser.add_argument("--every", action="store_true")
    parser.add_argument("--again", nargs=2, metavar=("TARGET", "BLOB"))
    given = parser.parse_args()
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    odd_values.EXTREMES = given.extremes
    os.chdir(tempfile.mkdtemp())  # whatever a call writes, it writes here
    if given.again:
        _again(*given.again)
        return 0
    if given.every:
        return _every()
    seed = int(time.time()) if given.seed is None else given.seed
    rng, log, start = np.random.default_rng(seed), Log(), time.monotonic()
    chosen = [given.only] if given.only else sorted(TARGETS)
    print(f"seed {seed}; {', '.join(chosen)}", flush=True)
    spent = collections.Counter()
    while time.monotonic() - start < 60 * given.minutes:
        target = min(chosen, key=lambda name: spent[name])  # each has the same time
        began = time.monotonic()
        _batch(target, log, int(rng.integers(2**31)), _BATCH.get(target, 50))
        spent[target] += time.monotonic() - began
    minutes = (time.monotonic() - start) / 60
    for key, count in log.found.most_common():
        print(f"{count:6}  {key}")
    counts = ", ".join(f"{log.examples[name]:,} {name}" for name in chosen)
    print(
        f"{minutes:.1f} minutes, {log.examples.total():,} examples ({counts}), "
        f"{len(log.found)} distinct findings"
    )
    return int(bool(log.found))


if __name__ == "__main__":
    sys.exit(main())
