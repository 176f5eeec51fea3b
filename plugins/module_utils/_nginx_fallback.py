# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Answers that nginx gives by itself, in the place of an application that cannot. Private: other collections must not import it.

One file, which nginx includes in server {}, holds all that are open, a block each.
"""

from __future__ import annotations

import collections
import json
import re

from ansible_collections.astraldraft.ops.plugins.module_utils._nginx import quoted

#: ``paths``: those that end with a slash mean all below them; ``body``: what JSON can hold; ``methods``: who asks otherwise gets 503;
#: ``opened_by``: HAND or HEALTH.
Fallback = collections.namedtuple("Fallback", "name paths status body retry_after methods opened_by")
HAND, HEALTH = "hand", "health"

FILE = "server.conf"
HEADER = "X-Fallback"
#: A word of nginx's configuration has at most 4,096 bytes.
LONGEST_BODY = 3500
_MANAGED = "# Written by astraldraft.ops.nginx_fallback; changes made by hand are lost."
_OPENED = "# opened by {0}\n"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
_PATH = re.compile(r"/[\w./~%+-]*", re.ASCII)
_METHOD = re.compile(r"[A-Z]{1,16}")
_BLOCK = re.compile(r"^# BEGIN (\S+)\n(.*?)^# END \1\n", re.MULTILINE | re.DOTALL)


def wrong(fallback):
    """What cannot be meant, in a sentence; empty when all of it can."""
    if not _NAME.fullmatch(fallback.name):
        return "name is {0!r}. It is letters, digits, dots and dashes.".format(fallback.name)
    if not fallback.paths:
        return "paths is empty: say which paths {0} stands for.".format(fallback.name)
    paths = [path for path in fallback.paths if not _PATH.fullmatch(path)]
    if paths:
        return "paths has {0!r}, which is no path. It begins with / and has no pattern in it.".format(paths[0])
    if "/" in fallback.paths:
        return "paths has /, which is the whole service: that is maintenance, not a fallback."
    if not 200 <= fallback.status <= 599 or fallback.status in (204, 304, 444):
        return "status is {0}. It is one that has a body, from 200 to 599.".format(fallback.status)
    methods = [method for method in fallback.methods if not _METHOD.fullmatch(method)]
    if methods or not fallback.methods:
        return "methods has {0!r}. Write GET.".format((methods or [""])[0])
    length = len(_document(fallback).encode("utf-8"))
    if length > LONGEST_BODY:
        return "body has {0} bytes as JSON; nginx takes {1} of them.".format(length, LONGEST_BODY)
    return ""


def _document(fallback):
    # nginx knows no way to write a dollar sign that begins no variable; JSON does, and has it in strings only.
    return json.dumps(fallback.body, sort_keys=True).replace("$", "\\u0024") + "\n"


def parse(text):
    """The blocks (dict: name to text) of the file, those that somebody added by hand left out."""
    return dict(_BLOCK.findall(text or ""))


def render(blocks):
    """The file's text; None without a block, for there is to be no file then."""
    if not blocks:
        return None
    return _MANAGED + "\n" + "".join("# BEGIN {0}\n{1}# END {0}\n".format(name, blocks[name]) for name in sorted(blocks))


def by_hand(block_text):
    """Whether somebody has opened it by hand. None is none of that."""
    return (block_text or "").startswith(_OPENED.format(HAND))


def block(fallback):
    """One that is open, as locations of nginx."""
    lines = [_OPENED.format(fallback.opened_by).rstrip("\n")]
    for path in sorted(set(fallback.paths)):
        lines += [
            "location {0} {1} {{".format("^~" if path.endswith("/") else "=", path),
            "    if ($request_method !~ ^({0})$) {{".format("|".join(sorted(set(fallback.methods)))),
            "        return 503;",
            "    }",
            "    types {}",
            "    default_type application/json;",
            "    add_header {0} {1} always;".format(HEADER, quoted(fallback.name)),
            "    add_header Cache-Control no-store always;",
            "    add_header Retry-After {0} always;".format(fallback.retry_after),
            "    return {0} {1};".format(fallback.status, quoted(_document(fallback))),
            "}",
        ]
    return "\n".join(lines) + "\n"
