# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is blocked until when, and what has to change. Private: other collections must not import it.

Pure, and the same for each of the backends: blocks in, a plan out.
"""

from __future__ import annotations

from collections import namedtuple

from ansible_collections.astraldraft.ops.plugins.module_utils import _addresses
from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError
from ansible_collections.astraldraft.ops.plugins.module_utils._figures import plural, span
from ansible_collections.astraldraft.ops.plugins.module_utils._freeze import STILL_LONG_ENOUGH
from ansible_collections.astraldraft.ops.plugins.module_utils._harmless import visible
from ansible_collections.astraldraft.ops.plugins.module_utils._table import lines
from ansible_collections.astraldraft.ops.plugins.module_utils._time import duration_seconds, to_iso

#: ``expires_at`` is in seconds since the epoch, None for one that never ends; ``packets`` and ``bytes`` are None where nobody counts.
Block = namedtuple("Block", "network expires_at comment packets bytes")
#: What is (``before``) and shall be (``after``), and the difference. Lists of Block. ``covered``: texts of what is blocked already.
Plan = namedtuple("Plan", "before after add remove")
#: What a backend holds. ``problems``: sentences about why it does not do what it should; ``ready``: whether it is set up at all.
State = namedtuple("State", "blocks problems ready")
LONGEST_COMMENT = 120


def seconds(duration, maximum):
    """The seconds of two durations' first. Raises OpsError."""
    try:
        asked, most = duration_seconds(duration), duration_seconds(maximum)
    except ValueError as error:
        raise OpsError("The duration cannot be read: {0}. Nothing was blocked.".format(error))
    if not 0 < asked <= most:
        message = "A block of {0} is refused: it may last from 1 s to {1} (maximum_duration). Nothing was blocked. {2}"
        raise OpsError(message.format(duration, maximum, "What is to be kept out for good belongs into the firewall of the site."))
    return asked


def comment(text):
    """A comment as a backend can keep it: one line, harmless, short."""
    line = visible(" ".join(str(text or "").split())).replace('"', "'").replace("\\", "/")
    return line.encode("ascii", "replace").decode("ascii")[:LONGEST_COMMENT]


def present(known, wanted, lasts, now, why, uncounted=0):
    """The Plan that blocks ``wanted`` (networks) for ``lasts`` seconds from ``now``. Raises OpsError.

    A block that has 90 % of that left stays as it is. One is never cut short, and none hides another. ``known``: list of Block;
    ``uncounted``: the packets of one that is written, anew or for longer: nft 1.0 takes no count with it.
    """
    ends, add, remove = now + lasts, [], []
    for one in wanted:
        around = next((block for block in known if _addresses.inside(one, block.network)), None)
        if around and _lasts(around, now + lasts * STILL_LONG_ENOUGH):
            continue
        if around and around.network != one:
            message = (
                "{0} is blocked as part of {1} already, until {2}, which is sooner than asked. Nothing was done. Block {1} for longer."
            )
            raise OpsError(message.format(_addresses.told(one), around.network, to_iso(around.expires_at)))
        within = [block for block in known if _addresses.inside(block.network, one)]
        longer = [block for block in within if block.network != one and _lasts(block, ends)]
        if longer:
            message = "{0}, which is part of {1}, is blocked for longer, until {2}. Nothing was done. Unblock it first, or ask for as long."
            until = "further notice" if longer[0].expires_at is None else to_iso(longer[0].expires_at)
            raise OpsError(message.format(_addresses.told(longer[0].network), one, until))
        remove += within
        add.append(Block(one, ends, why, uncounted, uncounted))
    return _plan(known, add, remove)


def absent(known, wanted):
    """The Plan that blocks ``wanted`` (networks) no longer, and none of those inside them. Raises OpsError where only more could be."""
    remove = []
    for one in wanted:
        remove += [block for block in known if _addresses.inside(block.network, one) and block not in remove]
        around = next((block for block in known if _addresses.inside(one, block.network) and block.network != one), None)
        if around:
            message = "{0} is blocked as part of {1}, which can only be unblocked as a whole. Nothing was done. That is: {1}."
            raise OpsError(message.format(_addresses.told(one), around.network))
    return _plan(known, [], remove)


def _lasts(block, until):
    return block.expires_at is None or block.expires_at >= until


def _plan(known, add, remove):
    return Plan(ordered(known), ordered([block for block in known if block not in remove] + add), add, remove)


def ordered(blocks):
    return sorted(blocks, key=lambda block: (block.network.version, block.network))


def as_dict(block, now):
    """A block as it is returned."""
    return {
        "address": _addresses.told(block.network),
        "family": "ipv{0}".format(block.network.version),
        "expires_at": None if block.expires_at is None else to_iso(block.expires_at),
        "seconds_left": None if block.expires_at is None else max(0, round(block.expires_at - now)),
        "comment": block.comment,
        "packets": block.packets,
        "bytes": block.bytes,
    }


def shown(blocks):
    """Lines for a diff."""
    return "".join("{0} until {1}\n".format(_addresses.told(one.network), _until(one)) for one in blocks)


def _until(block):
    return "further notice" if block.expires_at is None else to_iso(round(block.expires_at))


def table(blocks, now):
    """Lines for people: address, until when, how long still, what was dropped, and the comment."""
    rows = []
    for block in blocks:
        left = "no end" if block.expires_at is None else "{0} left".format(span(max(0, block.expires_at - now)))
        dropped = "-" if block.packets is None else "{0} {1}".format(block.packets, plural("packet", block.packets))
        rows.append([_addresses.told(block.network), "until " + _until(block), left, dropped, block.comment])
    return lines(rows)


def summary(blocks, problems, ready, unreadable=""):
    """``(verdict, sentence)`` about what a backend holds. ``blocks``: those that are not over."""
    if unreadable:
        return "unknown", "Nobody knows what is blocked: {0}".format(unreadable)
    if problems:
        return "broken", "{0} should be blocked, but that is not as it should be: {1}.".format(len(blocks), "; ".join(problems))
    if not blocks:
        return "none", "Nothing is blocked." if ready else "Nothing is blocked, and nothing ever was since this host started."
    packets = [block.packets for block in blocks if block.packets is not None]
    dropped = "; {0} packets of theirs were dropped".format(sum(packets)) if packets else ""
    return "in_force", "{0} {1} blocked{2}.".format(len(blocks), "is" if len(blocks) == 1 else "are", dropped)
