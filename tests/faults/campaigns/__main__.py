"""Runs campaigns by name against the stack that the environment names, and says what passed.

tests/faults/run                       all, in full size
tests/faults/run --sample              a small part of each, for CI
tests/faults/run kill --match switch   the points of one campaign whose name holds a word
"""

from __future__ import annotations

import argparse
import os
import re
import signal
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path

from . import (
    alerts_cost,
    backup_cost,
    backup_memory,
    bad_releases,
    certificates,
    database_health_cost,
    deploys,
    diagnosis,
    escalation,
    guard,
    health_cost,
    hosts,
    hosts_walk,
    incident,
    journal_verify,
    keys,
    keys_cost,
    kill,
    leases,
    logs_memory,
    maintenance,
    recover_data,
    recover_hosts,
    recover_system,
    reindex_stall,
    restore,
    restore_cost,
    rollback_time,
    scale,
    setup_down,
    soak,
    switch_cost,
)
from .record import Record
from .stack import ROOT, Stack

Runner = Callable[[Stack, Path, argparse.Namespace], Record]


def _kill_points(options: argparse.Namespace) -> list[kill.Point]:
    if options.match:
        return [point for point in kill.POINTS if re.search(options.match, point.name)]
    return [point for point in kill.POINTS if not options.sample or point.name in kill.SAMPLE]


def _bad_versions(options: argparse.Namespace) -> tuple[str, ...]:
    if options.match:
        return tuple(version for version in bad_releases.BAD if re.search(options.match, version))
    return bad_releases.SAMPLE if options.sample else tuple(bad_releases.BAD)


def _count(options: argparse.Namespace, full: int, sample: int) -> int:
    return options.count or (sample if options.sample else full)


def _may_remove(options: argparse.Namespace) -> bool:
    """Not so the stack of a sample that somebody wants to look at afterwards."""
    return not (options.sample and os.environ.get("ASTRAL_TEST_KEEP"))


CAMPAIGNS: dict[str, Runner] = {
    "deploys": lambda stack, folder, o: deploys.run(stack, folder, _count(o, deploys.FULL, deploys.SAMPLE)),
    "bad_releases": lambda stack, folder, o: bad_releases.run(stack, folder, _bad_versions(o)),
    "rollback_time": lambda stack, folder, o: rollback_time.run(
        stack, folder, _count(o, rollback_time.FULL, rollback_time.SAMPLE), o.sample
    ),
    "scale": lambda stack, folder, o: scale.run(stack, folder, _count(o, scale.FULL, scale.SAMPLE)),
    "kill": lambda stack, folder, o: kill.run(stack, folder, _kill_points(o), o.minutes),
    "certificates": lambda stack, folder, o: certificates.run(stack, folder, _count(o, certificates.FULL, certificates.SAMPLE), o.sample),
    "leases": lambda stack, folder, o: leases.run(stack, folder, o.sample),
    "maintenance": lambda stack, folder, o: maintenance.run(stack, folder, o.sample),
    "soak": lambda stack, folder, o: soak.run(stack, folder, _count(o, soak.FULL, soak.SAMPLE), o.sample),
    "hosts": lambda stack, folder, o: hosts.run(stack, folder, o.sample),
    "hosts_walk": lambda stack, folder, _o: hosts_walk.run(stack, folder),
    "guard": lambda stack, folder, o: guard.run(stack, folder, _count(o, guard.FULL, guard.SAMPLE)),
    "reindex_stall": lambda stack, folder, o: reindex_stall.run(stack, folder, _count(o, reindex_stall.FULL, reindex_stall.SAMPLE)),
    "restore": lambda stack, folder, o: restore.run(
        stack, folder, restore.chosen(o.match, o.sample), restore.SAMPLE_SCALE if o.sample else restore.SCALE, o.minutes
    ),
    "keys": lambda stack, folder, o: keys.run(stack, folder, _count(o, keys.FULL, keys.SAMPLE)),
    "backup_memory": lambda stack, folder, o: backup_memory.run(stack, folder, o.sample),
    "logs_memory": lambda stack, folder, o: logs_memory.run(stack, folder, o.sample),
    "escalation": lambda stack, folder, o: escalation.run(stack, folder, o.sample),
    "diagnosis": lambda stack, folder, o: diagnosis.run(stack, folder, diagnosis.chosen(o.match, o.sample), o.minutes, o.sample),
    "incident": lambda stack, folder, _o: incident.run(stack, folder),
    "recover_data": lambda stack, folder, o: recover_data.run(stack, folder, _count(o, len(recover_data.CASES), 1)),
    "recover_hosts": lambda stack, folder, o: recover_hosts.run(stack, folder, o.sample),
    "recover_system": lambda stack, folder, o: recover_system.run(stack, folder, _count(o, 2, 1)),
    # Last: it removes the stack.
    "setup_down": lambda stack, folder, o: setup_down.run(stack, folder, remove=_may_remove(o)),
}

#: What `--sample` runs of its own accord, in CI: what no integration target and no Molecule scenario shows. All run in full by
#: `make prove`.
SAMPLED = ("bad_releases", "kill", "restore", "escalation", "setup_down")

#: Run by name only (tests/bench/run): they compare, they prove no promise.
BENCHMARKS: dict[str, Runner] = {
    "switch_cost": lambda stack, folder, o: switch_cost.run(stack, folder, _count(o, switch_cost.FULL, 1)),
    "health_cost": lambda stack, folder, o: health_cost.run(stack, folder, _count(o, health_cost.FULL, 1)),
    "backup_cost": lambda stack, folder, o: backup_cost.run(stack, folder, _count(o, backup_cost.FULL, 1), o.sample),
    "restore_cost": lambda stack, folder, o: restore_cost.run(stack, folder, _count(o, restore_cost.FULL, 1), o.sample),
    "database_health_cost": lambda stack, folder, o: database_health_cost.run(stack, folder, _count(o, database_health_cost.FULL, 1)),
    "keys_cost": lambda stack, folder, o: keys_cost.run(stack, folder, _count(o, keys_cost.FULL, 1), o.sample),
    "alerts_cost": lambda stack, folder, o: alerts_cost.run(stack, folder, _count(o, alerts_cost.FULL, 1), o.sample),
    "journal_verify": lambda stack, folder, o: journal_verify.run(stack, folder, _count(o, journal_verify.FULL, journal_verify.FULL)),
}
KNOWN = {**CAMPAIGNS, **BENCHMARKS}
#: These have a server of their own, and nothing of the stack, which would only take their time.
BARE = {"alerts_cost", "keys", "keys_cost", "reindex_stall", "backup_memory", "logs_memory", "backup_cost", "database_health_cost"}
BARE |= {"escalation"}


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="tests/faults/run", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "campaigns", nargs="*", metavar="CAMPAIGN", help=f"{', '.join(CAMPAIGNS)} (all, in this order), {', '.join(BENCHMARKS)}"
    )
    parser.add_argument("--sample", action="store_true", help="a small part of each")
    parser.add_argument("--count", type=int, help="operations, runs, good releases, deploys at once, 100,000 rows: what a campaign counts")
    parser.add_argument("--minutes", type=float, help="kill, restore and diagnosis begin no further point after so many")
    parser.add_argument("--match", help="only the points of kill and restore, bad releases or faults whose name matches this expression")
    parser.add_argument("--results", type=Path, help="a folder for the dated results (none are written otherwise)")
    parser.add_argument("--bare", action="store_true", help="run nothing; exit with 0 when none of the campaigns needs the stack")
    options = parser.parse_args()
    unknown = [name for name in options.campaigns if name not in KNOWN]
    if unknown:
        parser.error(f"there is no campaign named {unknown[0]}; there are: {', '.join(KNOWN)}")
    return options


def main() -> int:
    options, stack = parse(), Stack.from_environment()
    if options.bare:
        return 0 if options.campaigns and BARE.issuperset(options.campaigns) else 1
    # Ended from outside, everything that was started beside a campaign still ends with it.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    folder = ROOT / ".cache/faults" / time.strftime("%Y%m%d-%H%M%S")
    passed = failed = 0
    for name in options.campaigns or (SAMPLED if options.sample else CAMPAIGNS):
        logs = folder / name
        logs.mkdir(parents=True)
        try:
            record = KNOWN[name](stack, logs, options)
        except Exception:
            traceback.print_exc()
            print(f"  FAILED {name} broke off. The playbooks' output: {logs}", flush=True)
            failed += 1
            continue
        passed, failed = passed + record.passed, failed + record.failed
        print(f"  {name}: {record.passed} passed, {record.failed} failed; the playbooks' output: {logs}", flush=True)
        if options.results:
            print(f"  written: {record.write(options.results)}", flush=True)
    print(f"\n{passed} passed, {failed} failed", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
