"""Run a command, watch every process meanwhile, and say where a password was to be seen.

    watched.py --core FILE --server CONTAINER --output FILE [--place NAME=PATH]... [--temporary PATH]... -- COMMAND...

FILE has letters and digits that are in the password and nowhere else: what is quoted, escaped or in an URL shows them as they are, and
base64 is looked for as well. --temporary is a folder of temporary files, here and in the server's container. What is printed is JSON:
code, the command's; found, by place; looked, how much there was to look at, by place.
"""

from __future__ import annotations

import argparse
import base64
import contextlib
import json
import os
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO

SYSLOGS = [Path("/var/log/syslog"), Path("/var/log/messages")]
LEFT_BYTES = 4 << 20
# A process that has been there for so long is looked at now and then: its arguments may change yet.
SETTLED_SECONDS, AGAIN_SECONDS, PAUSE_SECONDS = 1.0, 0.25, 0.004
AROUND = 60


def needles(core: bytes) -> list[bytes]:
    """The password as it is, and in base64, wherever in a text that was encoded it begins."""
    found = [core]
    for shift in range(3):
        encoded = base64.b64encode(b"x" * shift + core)
        found.append(encoded[-(-shift * 4 // 3) : (shift + len(core)) * 8 // 6])
    return found


class Finds:
    """Where the password was, and how much was looked at."""

    def __init__(self, core: bytes) -> None:
        self.needles = needles(core)
        self.found: dict[str, list[str]] = {}
        self.looked: dict[str, int] = {}
        self._lock = threading.Lock()

    def look(self, place: str, data: bytes, where: str = "", much: int | None = None) -> None:
        with self._lock:
            self.looked[place] = self.looked.get(place, 0) + (len(data) if much is None else much)
            for needle in self.needles:
                at = data.find(needle)
                if at >= 0:
                    around = data[max(0, at - AROUND) : at] + b"<here>" + data[at + len(needle) : at + len(needle) + AROUND]
                    self.found.setdefault(place, []).append(f"{where} {around.replace(bytes(1), b' ').decode(errors='replace')}".strip())
                    return


class Processes:
    """The arguments of every process of this machine, those in containers too: a container's processes are this kernel's."""

    def __init__(self, finds: Finds) -> None:
        self._finds = finds
        self._known: dict[str, tuple[bytes, float, float]] = {}
        self.longest = 0.0
        self._before = time.monotonic()

    def sweep(self) -> None:
        now = time.monotonic()
        self.longest, self._before = max(self.longest, now - self._before), now
        there = [name for name in os.listdir("/proc") if name.isdigit()]
        for name in there:
            words, since, looked = self._known.get(name, (None, now, 0.0))
            if now - since > SETTLED_SECONDS and now - looked < AGAIN_SECONDS:
                continue
            try:
                with open(f"/proc/{name}/cmdline", "rb", buffering=0) as stream:
                    read = stream.read()
            except OSError:
                continue
            if read != words:
                since = now
                self._finds.look("argv", read, f"process {name}:", much=1)
            self._known[name] = read, since, now
        for name in self._known.keys() - there:
            del self._known[name]


def follow(events: IO[bytes], finds: Finds) -> None:
    """What the engine tells of its containers: what is executed in them, and, as soon as there is a new one, all of it."""
    for line in events:
        finds.look("events", line)
        event = json.loads(line)
        if event["Action"] == "create":
            done = subprocess.run(["docker", "inspect", event["Actor"]["ID"]], capture_output=True, check=False)
            finds.look("containers", done.stdout if done.returncode == 0 else b"")


def files(top: Path) -> Iterator[Path]:
    if top.is_dir():
        for folder, _folders, names in os.walk(top):
            yield from (Path(folder, name) for name in names)
    elif top.exists():
        yield top


def look_at_files(finds: Finds, place: str, top: Path) -> None:
    finds.looked.setdefault(place, 0)
    for path in files(top):
        with contextlib.suppress(OSError):
            if path.is_file():
                finds.look(place, path.read_bytes(), f"{path}:")


def look_at_what_is_left(finds: Finds, folders: list[Path], since: float) -> None:
    """Files that were written meanwhile, where temporary files are."""
    finds.looked["left"] = 0
    for path in (path for top in folders for path in files(top)):
        with contextlib.suppress(OSError):
            about = path.lstat()
            if path.is_file() and not path.is_symlink() and about.st_mtime >= since and about.st_size < LEFT_BYTES:
                finds.look("left", path.read_bytes(), f"{path}:", much=1)


def look_at_server(finds: Finds, server: str, folders: list[str]) -> None:
    """The log of the server, its own container, and what is left in the folders for temporary files there, where its data is as well."""
    for words in (["logs", server], ["inspect", server]):
        finds.look("server", subprocess.run(["docker", *words], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=True).stdout)
    argv = ["docker", "exec", "--interactive", "--user", "root", server, "grep", "-rlaF", "-f", "-", *folders]
    done = subprocess.run(argv, input=b"\n".join(finds.needles) + b"\n", capture_output=True, check=False)
    if done.stdout:
        finds.found.setdefault("server", []).extend(done.stdout.decode().splitlines())


def look_at_syslog(finds: Finds, before: dict[Path, int], since: float) -> None:
    finds.looked["syslog"] = 0
    for path, size in before.items():
        with contextlib.suppress(OSError), path.open("rb") as stream:
            stream.seek(size)
            finds.look("syslog", stream.read(), f"{path}:")
    with contextlib.suppress(FileNotFoundError):
        argv = ["journalctl", "--quiet", "--no-pager", "--output=cat", f"--since=@{since:.0f}"]
        finds.look("syslog", subprocess.run(argv, capture_output=True, check=False).stdout)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--core", type=Path, required=True)
    parser.add_argument("--server", required=True)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--place", action="append", default=[])
    parser.add_argument("--temporary", action="append", default=[])
    parser.add_argument("command", nargs="+")
    args = parser.parse_args()

    finds = Finds(args.core.read_bytes())
    since = time.time()
    syslogs = {path: path.stat().st_size for path in SYSLOGS if os.access(path, os.R_OK)}
    # There may be none of these at all.
    finds.looked.update(containers=0, events=0)
    argv = ["docker", "events", "--filter", "type=container", "--since", f"{since:.0f}", "--format", "{{json .}}"]
    with subprocess.Popen(argv, stdout=subprocess.PIPE) as events, args.output.open("wb") as output:
        assert events.stdout
        follower = threading.Thread(target=follow, args=(events.stdout, finds))
        follower.start()
        with subprocess.Popen(args.command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT) as command:
            # Where it may, it goes before those it watches.
            with contextlib.suppress(OSError):
                os.nice(-10)
            processes = Processes(finds)
            while command.poll() is None:
                processes.sweep()
                time.sleep(PAUSE_SECONDS)
        events.terminate()
        follower.join()

    look_at_files(finds, "output", args.output)
    for place in args.place:
        name, _equals, path = place.partition("=")
        look_at_files(finds, name, Path(path))
    look_at_what_is_left(finds, [Path(path) for path in args.temporary] + [Path.home() / ".ansible"], since)
    look_at_server(finds, args.server, args.temporary)
    look_at_syslog(finds, syslogs, since)
    last = args.output.read_text(encoding="utf-8", errors="replace")[-1500:]
    found = {place: where[:10] for place, where in finds.found.items()}
    told = {"code": command.returncode, "found": found, "looked": finds.looked, "longest_gap": round(processes.longest, 3), "last": last}
    for needle in finds.needles:
        told["last"] = str(told["last"]).replace(needle.decode(), "<here>")
    print(json.dumps(told))


main()
