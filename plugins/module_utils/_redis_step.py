# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One step of going through the keys of a server, and what it is to do. Private: other collections must not import it."""

from __future__ import annotations

import threading

from ansible_collections.astraldraft.ops.plugins.module_utils._net import ProbeError
from ansible_collections.astraldraft.ops.plugins.module_utils._redis_keys import COUNT, REMOVE, Batch, Sample, batch_of, holds, sort_out

#: Keys that one UNLINK takes, in two thirds of the time of one each. In a Cluster they would have to be of one slot.
TOGETHER = 500


class Job:
    """What a pass is to do. All names are bytes.

    ``prefixes`` are spared and counted; ``idle``: only keys that nobody has touched for so many seconds; ``where``: (field, value), only
    keys whose content has that; ``budget``: how many may be removed, None to count only.
    """

    def __init__(self, pattern, prefixes=(), idle=0, budget=None, sample=0, where=None):
        self.pattern, self.prefixes, self.idle, self.budget, self.where = pattern, list(prefixes), idle, budget, where
        self.sample = Sample(sample)
        self.lock = threading.Lock()

    def counting(self, idle=0):
        """The same, to count those that are left of it. ``idle``: at least for so many seconds."""
        return Job(self.pattern, self.prefixes, max(self.idle, idle), where=self.where)


def step_of(node, job, clustered=False):
    """-> (a function of cursor, count and budget that makes a step and gives its Batch, whether that is done in scripts)

    In one script where the server allows that, else by names that come here and go back.
    """
    script = COUNT if job.budget is None else REMOVE
    command = "EVAL_RO" if job.budget is None else "EVAL"
    together = 1 if clustered else TOGETHER

    def by_script(cursor, count, budget):
        what = (cursor, job.pattern, count, job.idle, budget or 0, *(job.where or (b"", b"")))
        batch = batch_of(node.ask(command, script, 0, *what, together, *job.prefixes))
        return _with_strays(node, batch, budget) if job.budget is not None and batch.names else batch

    def by_names(cursor, count, budget):
        cursor, names = node.ask("SCAN", cursor, "MATCH", job.pattern, "COUNT", count)
        meant, spared = sort_out(names, job.prefixes)
        meant = _with_content(node, _idle(node, meant, job.idle), job.where)
        if budget is None:
            return Batch(cursor, len(meant), spared, meant[:1])
        answers = node.ask_all([("UNLINK", name) for name in meant[:budget]]) if meant else []
        left = [name for name, answer in zip(meant, answers) if not isinstance(answer, int)] + meant[budget:]
        batch = Batch(cursor, sum(answer for answer in answers if isinstance(answer, int)), spared, left)
        return _with_strays(node, batch, budget) if left else batch

    try:
        # The cursor's first step, which changes nothing: whether scripts are allowed.
        node.ask(command, "return 1", 0)
        return by_script, True
    except ProbeError as error:
        if error.reason not in ("our_credentials", "error_reply"):
            raise
        return by_names, False


def _idle(node, names, seconds):
    """Those that nobody has touched for so long. Where nobody knows, it was."""
    if not seconds or not names:
        return names
    ages = node.ask_all([("OBJECT", "IDLETIME", name) for name in names])
    return [name for name, age in zip(names, ages) if not isinstance(age, int) or age >= seconds]


def _with_content(node, names, where):
    """Those whose content has the field and value ``where``, or all where that is None."""
    if not where or not names:
        return names
    field, value = where
    texts = dict(zip(names, node.ask_all([("GET", name) for name in names])))
    others = [name for name, text in texts.items() if isinstance(text, Exception)]
    fields = dict(zip(others, node.ask_all([("HGET", name, field) for name in others]))) if others else {}
    return [name for name, text in texts.items() if (fields[name] == value if name in fields else text and holds(text, field, value))]


def _with_strays(node, batch, budget):
    """Of a slot that is moving some keys are here and not yet ours; what is not here any more the next pass finds elsewhere."""
    if batch.meant >= budget:
        return batch
    answers = node.ask_all([word for name in batch.names for word in (("ASKING",), ("UNLINK", name))])[1::2]
    refused = [answer for answer in answers if isinstance(answer, Exception)]
    if refused:
        raise node.failure(refused[0])
    return batch._replace(meant=batch.meant + sum(answers), names=[])
