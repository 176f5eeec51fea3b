# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What may be done with the terminal. Private: other collections must not import it."""

from __future__ import annotations

import contextlib
import os
import sys

CLEAR_LINE = "\r\x1b[K"


def is_terminal(stream, environment):
    """Whether a line there can be overwritten. AWX (ansible-runner) and some CI systems run all on a terminal that nobody looks at."""
    recorded = any(environment.get(name) for name in ("AWX_ISOLATED_DATA_DIR", "CI"))
    return bool(stream) and stream.isatty() and environment.get("TERM", "dumb") != "dumb" and not recorded


# The strategy loads an action plugin, and this with it, before it starts the worker that runs it. In a worker, stdout says nothing about
# the controller's.
TERMINAL = is_terminal(sys.stdout, os.environ)
if not TERMINAL:
    # Else what is printed while a task runs is held back, through a pipe or into a file, until the task has ended.
    with contextlib.suppress(AttributeError, ValueError):
        sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
