# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is done to a batch of keys, and how many keys may be removed in all. Private: other collections must not import it.

Nothing here has a connection. A batch is what one step of SCAN yields: while the server works on it, nobody else is served.
"""

from __future__ import annotations

import collections
import json
import random
import threading

from ansible_collections.astraldraft.ops.plugins.module_utils._redis_names import may_match

# ARGV: cursor, pattern, count, idle, budget, field, value, how many to unlink at once, spared prefixes. Names that
# are only found here cannot be declared.
# Whose idle time or content cannot be told: the former is meant, the latter is not.
_HEAD = """
local cursor, pattern, count, idle, budget = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4]), tonumber(ARGV[5])
local field, wanted, together, first = ARGV[6], ARGV[7], tonumber(ARGV[8]), 9
local function holds(key)
    local text = redis.pcall('GET', key)
    if type(text) ~= 'string' then return redis.pcall('HGET', key, field) == wanted end
    local good, content = pcall(cjson.decode, text)
    local found = good and type(content) == 'table' and content[field]
    if type(found) == 'number' and found == math.floor(found) then found = string.format('%.0f', found) end
    return type(found) ~= 'table' and found ~= cjson.null and tostring(found) == wanted
end
local answer = redis.call('SCAN', cursor, 'MATCH', pattern, 'COUNT', count)
local spared, meant = {}, {}
for i = first, #ARGV do spared[i - first + 1] = 0 end
local function is_meant(key)
    for i = first, #ARGV do
        if string.sub(key, 1, #ARGV[i]) == ARGV[i] then
            spared[i - first + 1] = spared[i - first + 1] + 1
            return false
        end
    end
    local age = idle > 0 and redis.pcall('OBJECT', 'IDLETIME', key) or 0
    return (type(age) ~= 'number' or age >= idle) and (field == '' or holds(key))
end
if first > #ARGV and idle == 0 and field == '' then
    meant = answer[2]
else
    for _, key in ipairs(answer[2]) do
        if is_meant(key) then meant[#meant + 1] = key end
    end
end
"""
#: -> cursor, how many are meant, how many are spared by each prefix, one of those that are meant.
COUNT = _HEAD + "return {answer[1], #meant, spared, meant[1] and {meant[1]} or {}}"
#: -> the same, but how many were removed and the names of those that could not be.
REMOVE = (
    _HEAD
    + """
local removed, left, last = 0, {}, math.min(budget, #meant)
local function unlink(from, to)
    local done = redis.pcall('UNLINK', unpack(meant, from, to))
    if type(done) == 'number' then
        removed = removed + done
    elseif from == to then
        left[#left + 1] = meant[from]
    else
        for i = from, to do unlink(i, i) end
    end
end
for from = 1, last, together do unlink(from, math.min(from + together - 1, last)) end
for i = last + 1, #meant do left[#left + 1] = meant[i] end
return {answer[1], removed, spared, left}
"""
)

#: ``meant``: keys that were counted or removed; ``spared``: by prefix, in their order; ``names``: some of those that are meant (COUNT)
#: or those that were left (REMOVE).
Batch = collections.namedtuple("Batch", "cursor meant spared names")


def batch_of(answer):
    """The Batch of what one of the scripts returned."""
    return Batch(answer[0], answer[1], answer[2], answer[3])


def sort_out(names, prefixes):
    """``(those that are meant, how many each prefix spares)``, as the scripts do it."""
    meant, spared = [], [0] * len(prefixes)
    for name in names:
        by = next((index for index, prefix in enumerate(prefixes) if name.startswith(prefix)), None)
        if by is None:
            meant.append(name)
        else:
            spared[by] += 1
    return meant, spared


def holds(text, field, wanted):
    """Whether the JSON object ``text`` (bytes) has ``wanted`` (bytes) under ``field`` (bytes), as the scripts do it."""
    try:
        found = json.loads(text).get(field.decode("utf-8", "surrogateescape"))
    except (ValueError, AttributeError):
        return False
    if found is None or isinstance(found, (dict, list)):
        return False
    if isinstance(found, float) and found.is_integer():
        found = int(found)
    told = found if isinstance(found, str) else json.dumps(found)
    return told.encode("utf-8", "surrogateescape") == wanted


def in_the_way(pattern, protected, allowed):
    """The protected prefixes (bytes) whose keys the pattern may mean, without those that are allowed."""
    return [prefix for prefix in protected if prefix and prefix not in allowed and may_match(pattern, prefix)]


class Budget:
    """How many more keys may be removed, by several threads. Whoever removes takes first and gives back what was too much."""

    def __init__(self, number):
        self._left, self._taken, self._change = number, 0, threading.Condition()

    def take(self, number):
        """At most so many; 0 when all have been used, not while somebody may still give some back."""
        with self._change:
            while not self._left and self._taken:
                self._change.wait(1.0)
            given = min(number, self._left)
            self._left -= given
            self._taken += given
            return given

    def settle(self, given, used):
        """What became of ``given``."""
        with self._change:
            self._left += given - used
            self._taken -= given
            self._change.notify_all()


class Sample:
    """So many of all names that went by, each as likely as any other."""

    def __init__(self, size):
        self.size, self.names, self._seen = size, [], 0

    def add(self, name):
        self._seen += 1
        if len(self.names) < self.size:
            self.names.append(name)
        elif self.size and random.randrange(self._seen) < self.size:
            self.names[random.randrange(self.size)] = name
