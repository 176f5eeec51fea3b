"""What a campaign found: checks with their numbers, tables, and the files they end in."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

from .stack import machine


class Record:
    """``check`` prints as it goes, so that a run that is cut short has said what it knew."""

    def __init__(self, campaign: str, promise: str) -> None:
        self.campaign, self.promise = campaign, promise
        self.checks: list[dict[str, Any]] = []
        self.notes: list[str] = []
        self.tables: list[dict[str, Any]] = []
        self.data: dict[str, Any] = {}
        self._machine = machine()
        self._started = time.time()
        print(f"\n--- {campaign}: {promise}", flush=True)

    def check(self, good: bool, what: str, numbers: str = "") -> bool:
        self.checks.append({"passed": bool(good), "what": what, "numbers": numbers})
        print(f"  {'ok    ' if good else 'FAILED'} {what}{': ' + numbers if numbers else ''}", flush=True)
        return bool(good)

    def note(self, text: str) -> None:
        self.notes.append(text)
        print(f"         {text}", flush=True)

    def table(self, title: str, header: list[str], rows: list[list[Any]]) -> None:
        cells = [[str(cell) for cell in row] for row in rows]
        self.tables.append({"title": title, "header": header, "rows": cells})
        widths = [max(len(row[column]) for row in [header, *cells]) for column in range(len(header))]
        print(f"\n  {title}")
        for row in [header, ["-" * width for width in widths], *cells]:
            print("    " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
        print(flush=True)

    @property
    def passed(self) -> int:
        return sum(check["passed"] for check in self.checks)

    @property
    def failed(self) -> int:
        return len(self.checks) - self.passed

    def write(self, folder: Path) -> Path:
        """``<date>-<campaign>.md`` and ``.json``; a second run of a day gets the time into its name."""
        folder.mkdir(parents=True, exist_ok=True)
        base = folder / f"{time.strftime('%Y-%m-%d')}-{self.campaign}"
        if base.with_suffix(".json").exists():
            base = folder / f"{time.strftime('%Y-%m-%d-%H%M')}-{self.campaign}"
        seconds = round(time.time() - self._started)
        content = {
            "campaign": self.campaign, "promise": self.promise, "machine": self._machine, "seconds": seconds, "passed": self.passed,
            "failed": self.failed, "checks": self.checks, "notes": self.notes, "tables": self.tables, "data": self.data,
        }  # fmt: skip
        base.with_suffix(".json").write_text(json.dumps(content, indent=1) + "\n")
        base.with_suffix(".md").write_text(self._markdown(seconds))
        return base.with_suffix(".md")

    def _markdown(self, seconds: int) -> str:
        found = self._machine
        lines = [
            f"# {self.campaign}",
            "",
            self.promise,
            "",
            (
                f"{found['time']}, {seconds} s. {found['system']}, Linux {found['kernel']}, {found['cores']} cores ({found['processor']}), "
                f"{found['memory_gib']} GiB; Docker {found['docker']}, Compose {found['compose']}, ansible-core {found['ansible']}; commit "
                f"{found['commit']}; {found['other_containers']} containers ran on the machine, load average at the start "
                f"{'/'.join(map(str, found['load_average']))}."
            ),
            "",
            f"**{self.passed} passed, {self.failed} failed**",
            "",
            *[f"- {'ok' if c['passed'] else '**FAILED**'}: {c['what']}{': ' + c['numbers'] if c['numbers'] else ''}" for c in self.checks],
            "",
            *[f"{note}\n" for note in self.notes],
        ]
        for table in self.tables:
            rows = [table["header"], ["---"] * len(table["header"]), *table["rows"]]
            lines += [f"## {table['title']}", "", *["| " + " | ".join(row) + " |" for row in rows], ""]
        return "\n".join(lines).rstrip() + "\n"
