"""Command line: ``python -m demo.load`` or ``python demo/load``.

Ends by --seconds, SIGTERM or SIGINT, writes the report and exits with 0 when no request failed, 1 when one did, 2 on bad usage.
"""

from __future__ import annotations

import argparse
import signal
import sys
import time
from contextlib import ExitStack
from pathlib import Path

if not __package__:
    # Started by its folder: make the package findable under its own name.
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
    __package__ = "demo.load"

from demo.load.generator import Load
from demo.load.options import Options
from demo.load.report import write

REPORT_EVERY_SECONDS = 5.0
LINE_EVERY_SECONDS = {True: 0.5, False: 10.0}


def parse(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="demo.load", description=sys.modules["demo.load"].__doc__)
    parser.add_argument("--url", default=Options.url, help="the load balancer (%(default)s)")
    parser.add_argument("--rate", type=float, default=Options.rate, help="requests a second of the busy clients together (%(default)g)")
    parser.add_argument("--clients", type=int, default=Options.clients, help="busy clients, one connection each (%(default)d)")
    parser.add_argument("--idle-clients", type=int, default=Options.idle_clients, help="clients pausing 1 to 9 s (%(default)d)")
    parser.add_argument("--slow-clients", type=int, default=Options.slow_clients, help="clients asking for 5 s answers (%(default)d)")
    parser.add_argument("--post-share", type=float, default=Options.post_share, help="share of POSTs among the busy (%(default)g)")
    parser.add_argument("--path", default=Options.path, help="what busy and idle clients GET (%(default)s)")
    parser.add_argument("--timeout", type=float, default=Options.timeout, help="seconds after which a request has failed (%(default)g)")
    parser.add_argument("--ca", default=Options.ca, help="for https: the authorities to trust (the system's)")
    parser.add_argument("--server-name", default=Options.server_name, help="for https: the name to be verified (%(default)s)")
    parser.add_argument("--seconds", type=float, help="how long (default: until SIGTERM or SIGINT)")
    parser.add_argument("--report", metavar="FILE", help="JSON report, replaced every 5 s and at the end")
    parser.add_argument("--log", metavar="FILE", help="one JSON line a request")
    parser.add_argument("--status-line", action="store_true", help="progress on standard error")
    return parser.parse_args(argv)


def status_line(load: Load, last: tuple[float, int]) -> tuple[str, tuple[float, int]]:
    recorder, now = load.recorder, time.monotonic()
    rate = (recorder.requests - last[1]) / max(now - last[0], 0.001)
    text = f"{time.strftime('%H:%M:%S')}  {rate:4.0f} req/s  {recorder.requests:8,d} sent  {recorder.failed:5,d} failed"
    return f"{text}  live {recorder.last_release or '-'}", (now, recorder.requests)


def main(argv: list[str] | None = None) -> int:
    arguments = parse(argv)
    names = ("url", "rate", "clients", "idle_clients", "slow_clients", "post_share", "path", "timeout", "seconds", "ca",
             "server_name")  # fmt: skip
    try:
        options = Options(**{name: getattr(arguments, name) for name in names})
    except ValueError as error:
        print(f"demo.load: {error}", file=sys.stderr)
        return 2
    with ExitStack() as stack:
        log = stack.enter_context(open(arguments.log, "w", encoding="utf-8")) if arguments.log else None
        load = Load(options, log)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: load.request_stop())
        load.start()
        _watch(load, arguments)
        load.stop()
        report = load.report()
    if arguments.report:
        write(arguments.report, report)
    print(
        f"{report['requests']} requests in {report['seconds']:.0f} s ({report['rate']}/s), {report['failed']} failed,"
        f" {report['resets']} resets, by release {report['by_release']}",
        file=sys.stderr,
    )
    return 1 if report["failed"] else 0


def _watch(load: Load, arguments: argparse.Namespace) -> None:
    """Until it is time to stop: the progress line and the intermediate reports."""
    terminal = sys.stderr.isatty()
    started = next_report = next_line = time.monotonic()
    next_report += REPORT_EVERY_SECONDS
    last = (started, 0)
    while arguments.seconds is None or time.monotonic() - started < arguments.seconds:
        now = time.monotonic()
        if arguments.status_line and now >= next_line:
            text, last = status_line(load, last)
            print(f"\r\x1b[K{text}" if terminal else text, end="" if terminal else "\n", file=sys.stderr, flush=True)
            next_line = now + LINE_EVERY_SECONDS[terminal]
        if now >= next_report:
            load.recorder.flush()
            if arguments.report:
                write(arguments.report, load.report())
            next_report = now + REPORT_EVERY_SECONDS
        left = 0.25 if arguments.seconds is None else min(0.25, max(0, started + arguments.seconds - now))
        if load.wait(left):
            break
    if arguments.status_line and terminal:
        print(file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
