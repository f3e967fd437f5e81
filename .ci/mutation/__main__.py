"""Make wrong changes of the package, one at a time, and tell which ones no test notices.

A change that no test can notice, since it changes nothing that matters, stands in `explained.txt`
with its reason. Any other survivor makes the exit status 1.
"""

import argparse
import csv
import hashlib
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import pytest

from mutation.changes import Mutant, mutants_of
from mutation.runs import MutantLoop

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("theory", "populations", "linear_model")
# Chosen by measurement, not by a test: docs/tables/sensitivity.csv.
MEASURED = "tuning.py"
EXPLAINED = Path(__file__).with_name("explained.txt")
# Tests that reach the core.
TESTS = ("tests/theory", "tests/populations", "tests/linear_model", "tests/test_notebook.py")


def options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "places",
        nargs="*",
        metavar="PLACE",
        help="files or folders of the package (default: its three rooms)",
    )
    parser.add_argument("--changed", metavar="REV", help="only lines changed since a revision")
    parser.add_argument(
        "--matching", metavar="LIST", type=Path, help="only those in a list like the explained one"
    )
    parser.add_argument("--sample", type=int, help="so many of each room, by a hash of each")
    parser.add_argument("--seed", type=int, default=0, help="of the sample (default: 0)")
    parser.add_argument("--minutes", type=float, default=600.0, help="stop after so long")
    parser.add_argument(
        "--seconds",
        type=float,
        default=20.0,
        help="of tests, for each mutant; six times that before one counts as survived",
    )
    parser.add_argument("--jobs", type=int, default=1, help="mutants at a time")
    parser.add_argument(
        "--tests",
        nargs="*",
        help=f"test folders to use (default: {' '.join(TESTS)}; of changed lines, their rooms')",
    )
    parser.add_argument("--map", type=Path, help="keep here which test reaches which line")
    parser.add_argument("--table", type=Path, help="write a CSV table of rooms here")
    parser.add_argument("--root", type=Path, default=ROOT, help="of the checkout")
    parser.add_argument("--explained", type=Path, default=EXPLAINED, help="list of reasons")
    parser.add_argument("--count", action="store_true", help="count the mutants, and run none")
    return parser.parse_args()


def chosen(arguments: argparse.Namespace) -> list[Mutant]:
    """Return the mutants that were asked for."""
    places = [Path(place).resolve() for place in arguments.places]
    root = arguments.root.resolve()
    places = places or [root / "sk_deepfeat" / room for room in ROOMS]
    files = [
        file
        for place in places
        for file in ([place] if place.is_file() else sorted(place.rglob("*.py")))
        if file.name != MEASURED
    ]
    lines = None if arguments.changed is None else changed_lines(root, arguments.changed)
    mutants = [
        mutant
        for file in files
        if lines is None or file in lines
        for mutant in mutants_of(file, root, None if lines is None else lines[file])
    ]
    if arguments.matching is not None:
        wanted = arguments.matching.read_text(encoding="utf-8").splitlines()
        mutants = [mutant for mutant in mutants if any(written(mutant) in row for row in wanted)]
    if arguments.sample is None:
        return mutants
    by_room: dict[str, list[Mutant]] = {}
    for mutant in sorted(mutants, key=lambda mutant: draw(mutant, arguments.seed)):
        by_room.setdefault(room_of(mutant.path), []).append(mutant)
    return [mutant for room in by_room.values() for mutant in room[: arguments.sample]]


def written(mutant: Mutant) -> str:
    """Return a mutant as lists write it."""
    return f"{mutant.path} | {mutant.scope} | {mutant.change}"


def draw(mutant: Mutant, seed: int) -> str:
    """Return a mutant's place in the order of a sample, which edits of other code do not change."""
    key = f"{seed} {mutant.path} {mutant.scope} {mutant.change} {mutant.choice}"
    return hashlib.sha256(key.encode()).hexdigest()


def changed_lines(root: Path, revision: str) -> dict[Path, set[int]]:
    """Return the lines that are new since a revision, by file."""
    command = ["git", "diff", "--unified=0", revision, "--", "sk_deepfeat"]
    text = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True).stdout
    lines: dict[Path, set[int]] = {}
    current: set[int] = set()
    for row in text.splitlines():
        if row.startswith("+++ b/"):
            current = lines.setdefault(root / row.removeprefix("+++ b/"), set())
        elif found := re.match(r"@@ -\S+ \+(\d+)(?:,(\d+))? @@", row):
            first, count = int(found[1]), int(found[2] or 1)
            current.update(range(first, first + count))
    return lines


def explained(file: Path) -> set[str]:
    """Return the mutants of the list, each of which has a reason behind it."""
    rows = file.read_text(encoding="utf-8").splitlines()
    return {row.rpartition(" | ")[0] for row in rows if not row.startswith("#")}


def room_of(path: Path) -> str:
    """Return the folder that a row of the table stands for."""
    return "/".join(path.parts[1:-1][:2])


def main() -> int:
    """Run the mutants that were asked for, and return the exit status."""
    arguments = options()
    mutants = chosen(arguments)
    if arguments.count:
        for room, count in sorted(Counter(room_of(mutant.path) for mutant in mutants).items()):
            print(f"{room}: {count}")
    if arguments.count or not mutants:
        print(f"{len(mutants)} mutants")
        return 0
    if arguments.tests is None:
        rooms = {str(Path("tests", *mutant.path.parts[1:-1])) for mutant in mutants}
        arguments.tests = TESTS if arguments.changed is None else sorted(rooms)
    reasons = explained(arguments.explained)
    root = arguments.root.resolve()
    outcomes: dict[str, Counter[str]] = {}
    survivors: list[tuple[Mutant, int]] = []
    start = time.monotonic()

    def report(mutant: Mutant, outcome: str, tests: int) -> None:
        if outcome == "survived" and written(mutant) in reasons:
            outcome = "explained"
        room = outcomes.setdefault(room_of(mutant.path), Counter())
        room[outcome] += 1
        room["made"] += 1
        made = sum(counts["made"] for counts in outcomes.values())
        if outcome == "survived":
            survivors.append((mutant, tests))
            print(
                f"survived {tests} tests, line {mutant.line}: {written(mutant)}",
                flush=True,
            )
        if made % 50 == 0:
            print(f"{made} of {len(mutants)} mutants, {time.monotonic() - start:.0f} s", flush=True)

    with tempfile.TemporaryDirectory() as scratch:
        loop = MutantLoop(
            root=root,
            mutants=mutants,
            map_file=arguments.map or Path(scratch) / "map.json",
            report=report,
            seconds=arguments.seconds,
            deadline=time.monotonic() + 60.0 * arguments.minutes,
            jobs=arguments.jobs,
            excused=lambda mutant: written(mutant) in reasons,
        )
        status = pytest.main(
            [
                "-q",
                "-s",
                "--no-header",
                "--no-summary",
                "-p",
                "no:cacheprovider",
                f"--rootdir={root}",
                *(str(root / place) for place in arguments.tests),
            ],
            plugins=[loop],
        )
    if status not in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
        print(f"pytest ended with {status!r}")
        return 2
    columns = ("made", "killed", "timed out", "explained", "survived")
    rows = [
        [room, *(counts[column] for column in columns)] for room, counts in sorted(outcomes.items())
    ]
    rows.append(["all", *(sum(row[place] for row in rows) for place in range(1, 6))])
    for room, *counts in rows:
        words = [f"{count} {column}" for column, count in zip(columns, counts, strict=True)]
        print(f"{room}: {', '.join(words)}")
    if arguments.table is not None:
        with arguments.table.open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([("room", *columns), *rows])
    print(f"{time.monotonic() - start:.0f} s; {len(survivors)} survived without an explanation")
    return 1 if survivors else 0


if __name__ == "__main__":
    sys.exit(main())
