"""Processes that stay alive and call a benchmark's functions, with this checkout or another.

`Worker` starts one and `in_turns` times several contestants turn by turn, so that what else the
machine does falls on all of them alike. A contestant that fails, for want of memory or of time, is
left out from there on.
"""

from __future__ import annotations

import importlib
import json
import os
import resource
import select
import subprocess
import sys
import time
import traceback
from pathlib import Path

HERE = Path(__file__).parents[1]
_CLEAR_PEAK = Path("/proc/self/clear_refs")  # Linux: writing 5 makes the peak start anew
_GIB = 2**30


class CallFailed(RuntimeError):
    """What went wrong in a worker, in a few words."""


class Worker:
    """A process that imports `sk_deepfeat` from a folder, and functions from a script beside this.

    ``worker("name", *arguments)`` returns what the script's function returns; arguments and result
    are what JSON can hold. It raises `CallFailed` where the function needs more memory or time than
    allowed, after which the process may be gone, and RuntimeError where it raises.
    """

    def __init__(self, script, folder=HERE, *, most_gib=None, most_seconds=None):
        folder = Path(folder).resolve()
        path = os.pathsep.join(filter(None, [str(folder), os.environ.get("PYTHONPATH")]))
        self._most_seconds, self._ended = most_seconds, ""
        self._no_memory = f"over {most_gib:g} GiB" if most_gib else "ended, for want of memory?"
        self._process = subprocess.Popen(
            [sys.executable, __file__, script, str(most_gib or 0)],
            env={**os.environ, "PYTHONPATH": path},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        imported = Path(self._reply().get("value", "nowhere"))
        if folder not in imported.parents:
            self.close()
            raise RuntimeError(f"The package was imported from {imported}, not from {folder}.")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def __call__(self, function, *arguments):
        """Call a function of the script in the process."""
        if self._ended:
            raise CallFailed(self._ended)
        self._process.stdin.write(json.dumps([function, arguments]) + "\n")
        self._process.stdin.flush()
        reply = self._reply()
        if "raised" in reply:
            raise RuntimeError(reply["raised"])
        if "value" not in reply:
            raise CallFailed(reply["failed"])
        return reply["value"]

    def close(self):
        """End the process."""
        self._process.kill()
        self._process.wait()
        self._process.stdin.close()
        self._process.stdout.close()

    def _reply(self):
        ready, _, _ = select.select([self._process.stdout], [], [], self._most_seconds)
        line = self._process.stdout.readline() if ready else ""
        if line:
            reply = json.loads(line)
            return {"failed": self._no_memory} if "memory" in reply else reply
        self._process.kill()
        self._ended = f"over {self._most_seconds:g} s" if not ready else self._no_memory
        return {"failed": self._ended}


def in_turns(contestants, rounds):
    """Call every contestant once unmeasured, then `rounds` times in turn.

    Parameters
    ----------
    contestants : dict of callable
        Each returns a dict with ``seconds``, and what else there is to say.
    rounds : int
        How many results are kept of each.

    Returns
    -------
    found : dict of list of dict
        The results of those that never failed.
    failed : dict of str
        Why the others did.
    """
    found, failed = {name: [] for name in contestants}, {}
    for turn in range(rounds + 1):
        for name, contestant in contestants.items():
            if name in failed:
                continue
            try:
                result = contestant()
            except CallFailed as failure:
                failed[name] = str(failure)
                continue
            if turn:
                found[name].append(result)
    return {name: results for name, results in found.items() if name not in failed}, failed


def timed(call):
    """Return the seconds of a call, and what it returns."""
    start = time.perf_counter()
    value = call()
    return time.perf_counter() - start, value


def peak_memory(call):
    """Return by how many MiB the memory of this process rose at most during a call."""
    _CLEAR_PEAK.write_text("5")
    before = _resident("VmRSS")
    call()
    return round(max(_resident("VmHWM") - before, 0.0), 1)


def _resident(field):
    """Return a field of the process's status in MiB."""
    (line,) = [x for x in Path("/proc/self/status").read_text().splitlines() if field in x]
    return int(line.split()[1]) / 1024.0


def _serve(script, most_gib):
    """Answer calls, one line of JSON each; what they print goes to stderr."""
    replies = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    if most_gib:
        most = int(most_gib * _GIB)
        resource.setrlimit(resource.RLIMIT_DATA, (most, most))
    import sk_deepfeat

    def reply(**said):
        replies.write(json.dumps(said) + "\n")
        replies.flush()

    module = importlib.import_module(script)
    reply(value=sk_deepfeat.__file__)
    for line in sys.stdin:
        function, arguments = json.loads(line)
        try:
            reply(value=getattr(module, function)(*arguments))
        except MemoryError:
            reply(memory="too little")
        except Exception:
            reply(raised=traceback.format_exc())


if __name__ == "__main__":
    _serve(sys.argv[1], float(sys.argv[2]))
