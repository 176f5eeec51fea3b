"""The three contracts of a module, each as a function of its case: a list of sentences about what does not hold."""

from __future__ import annotations

import re
from collections import defaultdict
from contextlib import nullcontext
from typing import Any

from ansible_collections.astraldraft.ops.tests.contract.lib.case import Case, Other, Scene, filled, others, prepare, with_option
from ansible_collections.astraldraft.ops.tests.contract.lib.documented import Documented
from ansible_collections.astraldraft.ops.tests.contract.lib.inert import more_than_reading
from ansible_collections.astraldraft.ops.tests.contract.lib.lab import Lab, Run
from ansible_collections.astraldraft.ops.tests.contract.lib.returns import dishonest, never_seen
from ansible_collections.astraldraft.ops.tests.contract.lib.signature import differences, signature

# What Ansible says of arguments that it does not let through: then the module was never asked.
NOT_ASKED = re.compile(
    r"Unsupported parameters|missing required arg|must be one of|is of type|unable to convert|missing parameter|were found in"
)
# So often a situation may turn out differently from the time before.
MOST_BASES = 5


class Contract:
    """Runs a module in all situations of its case, once, and holds the runs against what it promises."""

    def __init__(self, lab: Lab, module: Documented, case: Case) -> None:
        self.lab, self.module, self.case = lab, module, case
        self.runs: list[tuple[str, Run]] = []
        self._pairs: dict[str, tuple[Run, Run]] = {}
        self._bases: dict[str, list[Run]] = {}
        self._ready: dict[str, list[Run]] = defaultdict(list)
        self._ready_pairs: dict[str, tuple[Run, Run]] = {}
        if module.is_action:
            self._run_ahead()

    # -- running

    def pair(self, name: str) -> tuple[Run, Run]:
        """A scene in check mode, and the real run that follows it in the same place."""
        if name not in self._pairs:
            scene, work = self.case.scenes[name], self.lab.work_folder()
            args = prepare(scene, work)
            with scene.around(work):
                checked, real = self._ready_pairs.get(name) or self.lab.runs(self.module, [(args, work, True), (args, work, False)])
            self.runs += [(f"{name}, check mode", checked), (name, real)]
            self._pairs[name] = checked, real
        return self._pairs[name]

    def one(self, scene: Scene, args: dict[str, Any], check: bool, what: str) -> Run:
        ready = self._ready[repr((scene, args, check))]
        if ready:
            run = ready.pop(0)
        else:
            work = self.lab.work_folder()
            prepare(scene, work)
            with scene.around(work):
                [run] = self.lab.runs(self.module, [(filled(args, work), work, check)])
        self.runs.append((what, run))
        return run

    def _run_ahead(self) -> None:
        """All runs that are sure to be wanted and stand alone, in one play: an ansible-playbook for each would take a second more each."""
        pairs, singles = [], []
        for name, scene in self.case.scenes.items():
            if scene.around is not nullcontext:
                continue
            work = self.lab.work_folder()
            args = prepare(scene, work)
            pairs.append((name, [(args, work, True), (args, work, False)]))
        keys = set()
        for name, other in others(self.case):
            scene, args = self._situation(other)
            if scene.around is not nullcontext:
                continue
            key = repr((scene, args, other.check))
            alone = [] if key in keys else [args] if self._is_pair(other) else [args, args]
            for wanted in [*alone, with_option(args, other.at or name, other.value)]:
                work = self.lab.work_folder()
                prepare(scene, work)
                singles.append((repr((scene, wanted, other.check)), (filled(wanted, work), work, other.check)))
            keys.add(key)
        requests = [request for _name, two in pairs for request in two] + [request for _key, request in singles]
        if not requests:
            return
        runs = iter(self.lab.runs(self.module, requests))
        self._ready_pairs = {name: (next(runs), next(runs)) for name, _two in pairs}
        for (key, _request), run in zip(singles, runs, strict=True):
            self._ready[key].append(run)

    def _situation(self, other: Other) -> tuple[Scene, dict[str, Any]]:
        """The scene that an option is looked at in, and the arguments without its other value."""
        scene = self.case.scenes[other.scene]
        args = scene.args
        for key, value in other.together.items():
            args = with_option(args, key, value)
        return scene, args

    # -- the contracts

    def inert(self) -> list[str]:
        """Check mode does no more than read, and says `changed` exactly where the real run that follows does."""
        found = []
        for name, scene in self.case.scenes.items():
            checked, real = self.pair(name)
            found += [f"{name}: {sentence}" for sentence in more_than_reading(checked.trace)]
            said, did = ((bool(run.result.get("changed")), run.failed) for run in (checked, real))
            if said != did and scene.foreseen:
                found.append(f"{name}: (changed, failed) is {said} in check mode and {did} in the run that follows")
            if how(real) != scene.expect:
                found.append(f"{name}: the run is {how(real)}, its case expects {scene.expect}: {real.result.get('msg', real.result)}")
        return found

    def honest(self) -> list[str]:
        """What is returned, on every path, is what is documented."""
        expected = {scene.expect for scene in self.case.scenes.values()}
        wanted = {"changed", "unchanged", "failed"}
        wanted -= {"changed"} if self.module.never_changes else {"unchanged"} if self.module.always_changes else set()
        found = [f"its case has no scene that ends {missing}" for missing in sorted(wanted - expected)]
        for name in self.case.scenes:
            self.pair(name)
        for name, run in self.runs:
            if not (run.failed and NOT_ASKED.search(str(run.result.get("msg", "")))):
                found += [f"{name}: {sentence}" for sentence in dishonest(self.module, run.result)]
        results = [run.result for _name, run in self.runs]
        found += [f"{key} is documented, and no run returned it" for key in never_seen(self.module, results)]
        return list(dict.fromkeys(found))

    def heard(self) -> list[str]:
        """Every documented option makes a difference: to what is asked of somebody, to what is written, or to the answer."""
        documented = {name for name, option in self.module.options.items() if not option.get("suboptions")}
        given = set(self.case.options) | set(self.case.without_effect)
        found = [f"{name} has no other value in its case" for name in sorted(documented - given)]
        found += [f"{name} is in its case and not documented" for name in sorted(given - set(self.module.options))]
        for name, words in self.case.without_effect.items():
            if words not in " ".join(str(self.module.options.get(name, {}).get("description", words)).split()):
                found.append(f"{name}: its description does not say: {words}")
        for name, other in others(self.case):
            found += self._heard(name, other)
        return found

    def _heard(self, name: str, other: Other) -> list[str]:
        scene, args = self._situation(other)
        label = f"{name}={other.value!r} in {other.scene}"
        without = self._without(scene, args, other)
        run = self.one(scene, with_option(args, other.at or name, other.value), other.check, label)
        if run.failed and NOT_ASKED.search(str(run.result.get("msg", ""))):
            return [f"{label} is not accepted: {run.result['msg']}"]
        if (run.failed != without[0].failed) != other.fails:
            return [f"{label} {'fails' if run.failed else 'does not fail'}, which its case does not say: {run.result.get('msg', '')}"]
        if other.slower:
            longer = run.result["duration"] - max(one.result["duration"] for one in without)
            return [] if longer >= other.slower else [f"{label} takes {longer:.1f} s more, {other.slower} s were expected"]
        found = signature(run, self.case)
        if all(differences(signature(one, self.case), found) for one in without):
            return []
        return [f"{label} makes no difference"]

    def _without(self, scene: Scene, args: dict[str, Any], other: Other) -> list[Run]:
        """Runs without the other value, until two of them are the same: else a difference would prove nothing."""
        key = repr((scene, args, other.check))
        if key not in self._bases:
            runs = [self.pair(other.scene)[not other.check] if self._is_pair(other) else self.one(scene, args, other.check, other.scene)]
            while len(runs) < MOST_BASES:
                runs.append(self.one(scene, args, other.check, other.scene))
                if other.slower or not self._differ(*runs[-2:]):
                    break
            else:
                raise AssertionError(f"{other.scene} is never the same twice: {self._differ(*runs[-2:])}")
            self._bases[key] = runs
        return self._bases[key]

    def _is_pair(self, other: Other) -> bool:
        """Whether the runs of the scene itself are what ``other`` is compared with: its check mode has left nothing behind."""
        return not other.together

    def _differ(self, one: Run, other: Run) -> list[str]:
        return differences(signature(one, self.case), signature(other, self.case))


def how(run: Run) -> str:
    return "failed" if run.failed else "changed" if run.result.get("changed") else "unchanged"
