"""Command line of the image: ``python -m app serve | migrate expand|contract|status | version``.

Exit codes: 0 done, 1 the work failed (the last JSON line says why), 2 the command line is wrong.
"""

from __future__ import annotations

import argparse
import logging
import signal
import sys

from .config import ConfigError, Settings
from .logs import configure


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="app", description="Astral Draft demonstration app")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("serve", help="answer requests until SIGTERM")
    migrate = commands.add_parser("migrate", help="change the database schema, one phase at a time")
    migrate.add_argument("phase", choices=["expand", "contract", "status"])
    commands.add_parser("version", help="print the release of this image")
    arguments = parser.parse_args(argv)

    try:
        settings = Settings.from_environment()
    except ConfigError as error:
        print(f"app: {error}", file=sys.stderr)
        return 2
    if arguments.command == "version":
        print(settings.release)
        return 0
    configure(settings.release, settings.log_level)
    # Process 1 of a container ignores a signal it has no handler for: without one, a stop in these first moments would hang.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0 if arguments.command == "serve" else 143))
    # Imported late: each command starts with only what it needs.
    if arguments.command == "migrate":
        from .migrate import run

        return run(settings, arguments.phase)
    from .server import serve

    try:
        return serve(settings)
    except Exception:
        logging.getLogger("app").critical("the server ended with an error", exc_info=True)
        return 1


if __name__ == "__main__":
    sys.exit(main())
