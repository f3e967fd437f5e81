"""Running mutants against the tests that reach them, in forks of a process that imported them all.

A pytest plugin takes the place of pytest's own loop. A first child runs every test once, and tells
which lines each reaches and how long it takes. Then each mutant has a child of its own, in which
the code of the function is swapped (or, for what a module or a class says at import, the package is
imported anew), and the tests that reach it are run, those of its own room first, until one fails.
One that survives a few seconds of tests without a reason gets those of a minute or so, too.
"""

import gc
import hashlib
import importlib.abc
import importlib.machinery
import importlib.util
import json
import os
import resource
import signal
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from types import CodeType, FunctionType

import coverage
import pytest

from mutation.changes import Mutant

MEMORY_BYTES = 6 * 2**30
DEAREST_TEST_SECONDS = 8.0
MORE = 6.0  # times the seconds of tests, for a mutant that survived


class MutantLoop:
    """A pytest plugin: map the tests, then hand each mutant its tests."""

    def __init__(
        self,
        root: Path,
        mutants: Sequence[Mutant],
        map_file: Path,
        report: Callable[[Mutant, str, int], None],
        seconds: float,
        deadline: float,
        jobs: int,
        excused: Callable[[Mutant], bool] = lambda mutant: False,
    ):
        self.root = root
        self.mutants = mutants
        self.map_file = map_file
        self.report = report
        self.seconds = seconds
        self.deadline = deadline
        self.jobs = jobs
        self.excused = excused
        self.failed = False

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Notice a failure."""
        self.failed = self.failed or report.failed

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Run the mutants where pytest would run the tests."""
        if session.testsfailed:
            raise session.Interrupted("the tests could not be collected")
        self.items = {item.nodeid: item for item in session.items}
        self.seconds_of, self.tests_of = self._map()
        self.functions = live_functions(self.root / "sk_deepfeat")
        self.killers: dict[tuple[Path, str], list[str]] = defaultdict(list)
        running: dict[int, tuple[Mutant, list[str], float, int]] = {}
        self.waiting = waiting = list(self.mutants)
        self.tried: dict[Mutant, list[str]] = {}
        while waiting or running:
            if waiting and len(running) < self.jobs and time.monotonic() < self.deadline:
                mutant = waiting.pop(0)
                tests = self._tests(mutant)
                if not tests:
                    self.report(mutant, "survived", len(self.tried.get(mutant, ())))
                    continue
                reader, writer = os.pipe()
                limit = 10.0 + 5.0 * sum(self.seconds_of[test] for test in tests)
                pid = self._fork(lambda m=mutant, t=tests, w=writer: self._try(m, t, w))
                os.close(writer)
                running[pid] = mutant, tests, time.monotonic() + limit, reader
                continue
            if not running:
                break  # the time is over
            self._wait(running)
        for mutant in waiting:
            if mutant in self.tried:  # there was no time for more tests
                self.report(mutant, "survived", len(self.tried[mutant]))
        return True

    def _wait(self, running: dict[int, tuple[Mutant, list[str], float, int]]) -> None:
        """Report the children that have ended, and end those that are over their time."""
        for pid, (mutant, tests, limit, reader) in list(running.items()):
            ended, status = os.waitpid(pid, os.WNOHANG)
            if not ended and time.monotonic() > limit:
                os.killpg(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
                outcome = "timed out"
            elif not ended:
                continue
            else:
                outcome = "survived" if status == 0 else "killed"
            with os.fdopen(reader) as pipe:
                killer = pipe.read()
            if killer:
                known = self.killers[mutant.path, mutant.scope]
                if killer not in known:
                    known.insert(0, killer)
            del running[pid]
            before = self.tried.get(mutant, [])
            if outcome == "survived" and not before and not self.excused(mutant):
                self.tried[mutant] = tests
                self.waiting.insert(0, mutant)
            else:
                self.report(mutant, outcome, len(before) + len(tests))
        time.sleep(0.002)

    def _tests(self, mutant: Mutant) -> list[str]:
        """Return the tests that reach a mutant: former killers, its room's, then the quickest.

        They are of some seconds, and of more for one that has survived those.
        """
        reached = set().union(
            *(self.tests_of.get((str(mutant.path), line), ()) for line in mutant.lines)
        )
        if not mutant.in_body and not mutant.function_lines:  # run by every import of its file
            path = str(mutant.path)
            reached = set().union(
                *(tests for (other, _), tests in self.tests_of.items() if other == path)
            )
        room = str(Path("tests", *mutant.path.parts[1:-1]))
        ranked = sorted(
            reached, key=lambda test: (not test.startswith(room + "/"), self.seconds_of[test], test)
        )
        former = [test for test in self.killers[mutant.path, mutant.scope] if test in reached]
        chosen: list[str] = []
        seconds = 0.0
        tried = set(self.tried.get(mutant, ()))
        most = self.seconds * (MORE if tried else 1.0)
        for test in dict.fromkeys((*former, *ranked)):
            if test not in tried and seconds + self.seconds_of[test] <= most:
                chosen.append(test)
                seconds += self.seconds_of[test]
        return chosen

    def _try(self, mutant: Mutant, tests: list[str], writer: int) -> int:
        source = (self.root / mutant.path).read_text(encoding="utf-8")
        code = compile(mutant.tree(source), str(self.root / mutant.path), "exec", dont_inherit=True)
        if not (mutant.in_body and swap(self.functions, code, mutant.function_lines)):
            return import_anew(mutant, code, tests, self.root)
        for test, following in zip(tests, [*tests[1:], None], strict=True):
            item = self.items[test]
            next_item = None if following is None else self.items[following]
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=next_item)
            if self.failed:
                os.write(writer, test.encode())
                return 1
        return 0

    def _fork(self, work: Callable[[], int]) -> int:
        pid = os.fork()
        if pid:
            return pid
        status = 3
        try:
            os.setsid()
            resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
            silence = os.open(os.devnull, os.O_RDWR)
            os.dup2(silence, 1)
            os.dup2(silence, 2)
            status = work()
        finally:
            os._exit(status)

    def _map(self) -> tuple[dict[str, float], dict[tuple[str, int], set[str]]]:
        """Return each test's seconds, and who reaches each line; tests of edited files anew."""
        package = fingerprint(sorted((self.root / "sk_deepfeat").rglob("*.py")))
        known = {}
        if self.map_file.exists():
            kept = json.loads(self.map_file.read_text())
            known = kept["tests"] if kept["package"] == package else {}
        prints: dict[str, str] = {}
        for nodeid in self.items:
            file = nodeid.partition("::")[0]
            prints.setdefault(file, fingerprint([self.root / file]))
        current = {
            nodeid: test
            for nodeid, test in known.items()
            if nodeid in self.items and test["print"] == prints[nodeid.partition("::")[0]]
        }
        missing = [nodeid for nodeid in self.items if nodeid not in current]
        if missing:
            print(f"mapping {len(missing)} tests", flush=True)
            part = self.map_file.with_suffix(".part")
            pid = self._fork(lambda: self._write_map(missing, part))
            if os.waitpid(pid, 0)[1]:
                raise RuntimeError("the tests could not be mapped: does plain pytest pass?")
            for nodeid, test in json.loads(part.read_text()).items():
                current[nodeid] = test | {"print": prints[nodeid.partition("::")[0]]}
            part.unlink()
            self.map_file.write_text(json.dumps({"package": package, "tests": known | current}))
        seconds: dict[str, float] = {}
        tests_of: dict[tuple[str, int], set[str]] = defaultdict(set)
        for nodeid, test in current.items():
            if test["passed"] and test["seconds"] <= DEAREST_TEST_SECONDS:
                seconds[nodeid] = test["seconds"]
                for path, lines in test["lines"].items():
                    for line in lines:
                        tests_of[path, line].add(nodeid)
        return seconds, tests_of

    def _write_map(self, nodeids: list[str], file: Path) -> int:
        measured = coverage.Coverage(
            data_file=None,
            config_file=False,
            include=[str(self.root / "sk_deepfeat" / "*")],
        )
        outcome: dict[str, dict] = {}
        measured.start()
        for nodeid, following in zip(nodeids, [*nodeids[1:], None], strict=True):
            item = self.items[nodeid]
            measured.switch_context(nodeid)
            self.failed, start = False, time.perf_counter()
            next_item = None if following is None else self.items[following]
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=next_item)
            seconds = time.perf_counter() - start
            outcome[nodeid] = {"passed": not self.failed, "seconds": seconds, "lines": {}}
        measured.stop()
        data = measured.get_data()
        for path in data.measured_files():
            name = str(Path(path).relative_to(self.root))
            for line, contexts in data.contexts_by_lineno(path).items():
                for nodeid in contexts:
                    if nodeid in outcome:
                        outcome[nodeid]["lines"].setdefault(name, []).append(line)
        file.write_text(json.dumps(outcome))
        return 0


def fingerprint(files: Sequence[Path]) -> str:
    """Return a hash of what the files hold."""
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()


def live_functions(package: Path) -> dict[tuple[str, str, int], list[FunctionType]]:
    """Return the package's functions in memory, by file, qualified name and first line."""
    found: dict[tuple[str, str, int], list[FunctionType]] = defaultdict(list)
    for thing in gc.get_objects():
        if isinstance(thing, FunctionType):
            code = thing.__code__
            if code.co_filename.startswith(str(package)):
                found[code.co_filename, code.co_qualname, code.co_firstlineno].append(thing)
    return found


def swap(
    functions: dict[tuple[str, str, int], list[FunctionType]],
    code: CodeType,
    first_lines: Sequence[int],
) -> bool:
    """Give the functions around a change their new code; False if one of them cannot take it."""
    done = False
    for inner in inner_codes(code):
        if inner.co_firstlineno not in first_lines:
            continue
        for function in functions.get(
            (inner.co_filename, inner.co_qualname, inner.co_firstlineno), ()
        ):
            if len(function.__code__.co_freevars) != len(inner.co_freevars):
                return False
            function.__code__ = inner
            done = True
    return done


def inner_codes(code: CodeType) -> list[CodeType]:
    """Return every code object inside one."""
    inner = [item for item in code.co_consts if isinstance(item, CodeType)]
    return inner + [deeper for item in inner for deeper in inner_codes(item)]


class OneFile(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds one module only, and gives it another code."""

    def __init__(self, name: str, path: Path, code: CodeType):
        self.name = name
        self.path = path
        self.code = code

    def find_spec(self, fullname, path=None, target=None):
        """Return where the one module is."""
        if fullname != self.name:
            return None
        places = [str(self.path.parent)] if self.path.name == "__init__.py" else None
        return importlib.util.spec_from_file_location(
            fullname, self.path, loader=self, submodule_search_locations=places
        )

    def exec_module(self, module):
        """Run its other code."""
        exec(self.code, module.__dict__)


def import_anew(mutant: Mutant, code: CodeType, tests: list[str], root: Path) -> int:
    """Import the package with the change in it, and run the tests in a session of their own."""
    parts = mutant.path.with_suffix("").parts
    name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
    for loaded, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None) or ""
        if loaded.partition(".")[0] == "sk_deepfeat" or file.startswith(str(root / "tests")):
            del sys.modules[loaded]
    sys.meta_path.insert(0, OneFile(name, root / mutant.path, code))
    return int(pytest.main(["-x", "-q", "-p", "no:cacheprovider", *tests]))
