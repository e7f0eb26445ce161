"""Print the battery's table: a row for each public name, a column for each check, how many variations passed."""

from __future__ import annotations

import argparse
import re
import sys
from collections import Counter

from .checks import CHECKS, Result, run
from .public import names, subjects


def cell(result: Result) -> str:
    if result.failures:
        return f"{result.passed}/{result.passed + len(result.failures)}!"
    return str(result.passed) if result.passed else "-"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.battery", description=__doc__)
    parser.add_argument("names", nargs="*", help="regular expressions: only names that match one (default: all)")
    parser.add_argument("--full", action="store_true", help="every variation, not a sample")
    parser.add_argument("--check", choices=CHECKS, action="append", help="only this check")
    options = parser.parse_args()
    checks = options.check or list(CHECKS)

    wanted = [s for s in subjects() if not options.names or any(re.search(n, str(s)) for n in options.names)]
    missing = {f"{room}.{name}" for room, name in names()} - {str(s) for s in subjects()}
    print(f"{'name':32}" + "".join(f"{name:>10}" for name in checks))
    total: dict[str, Counter] = {name: Counter() for name in checks}
    failures = []
    for subject in wanted:
        row = f"{subject!s:32}"
        for name in checks:
            result = run(subject, name, options.full)
            row += f"{cell(result):>10}"
            total[name].update(passed=result.passed, failed=len(result.failures))
            failures += [f"{name}: {failure}" for failure in result.failures]
        print(row, flush=True)
    print(f"{f'{len(wanted)} names':32}" + "".join(f"{total[name]['passed']:10}" for name in checks))
    passed = sum(count["passed"] for count in total.values())
    print(f"\n{passed} variations passed, {len(failures)} failed, {len(missing)} names without an entry")
    for line in [*failures, *(f"no entry: {name}" for name in sorted(missing))]:
        print(line)
    return bool(failures or missing)


if __name__ == "__main__":
    sys.exit(main())
