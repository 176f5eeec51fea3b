# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How many replicas a colour shall have, and whether database and host can bear them. Private: other collections must not import it.

Both colours count at the wanted size, whether or not the idle one runs now: the next release starts there at that size.
"""

from __future__ import annotations

import collections

GO, NOTHING_TO_DO, REFUSED = "go", "nothing_to_do", "refused"
#: What a replica without a memory limit is taken to need, of the most that one of them uses now.
GROWTH = 1.25

#: One replica: ``name`` such as app-blue-2; ``healthy`` is False only where Docker's own check says so; ``weight`` is nginx's.
Member = collections.namedtuple("Member", "name number healthy weight limit used")
#: One colour as it runs. ``members``: list of Member; ``version``: what it should answer, or None where nobody recorded it.
Colour = collections.namedtuple("Colour", "service members version release")

#: Connection slots: ``usable`` by ordinary users, ``others``: taken by sessions that are not the application's, ``pool``: the most that one
#: replica takes, ``hosts``: application hosts of the same size, ``reserve``: to be left free.
Slots = collections.namedtuple("Slots", "usable others pool hosts reserve")
#: Bytes: ``available`` on the host now, ``reserve``: to be left free, ``replica``: what a new one may come to need, ``growth``: what those
#: that run may still grow by.
Memory = collections.namedtuple("Memory", "available reserve replica growth")


def count_slots(server, user, addresses, pool, hosts, reserve):
    """The Slots of a ``server`` (maximum, reserved, sessions). Sessions of ``user`` or from ``addresses`` are the application's."""
    others = sum(number for name, address, number in server.sessions if not (user and name == user or address in addresses))
    return Slots(server.maximum - server.reserved, others, pool, hosts, reserve)


def count_memory(members, available, reserve):
    """The Memory of a host on which ``members`` (of all colours) run. Needs at least one member."""
    limits = [member.limit for member in members]
    most_used = int(max(member.used for member in members) * GROWTH)
    replica = max(limits) if all(limits) else most_used
    growth = sum(max(0, member.limit - member.used) for member in members if member.limit)
    return Memory(available, reserve, max(1, replica), growth)


def room_for_slots(slots, colours):
    """How many replicas each of so many ``colours`` may have for their pools to find a slot (int, never below 0)."""
    return max(0, slots.usable - slots.others - slots.reserve) // (colours * slots.pool * slots.hosts)


def room_for_memory(memory, counts):
    """How many replicas each colour may have for the host to bear them. ``counts``: how many run of each (list of int)."""
    budget = max(0, memory.available - memory.reserve - memory.growth) // memory.replica
    size = min(counts)
    while True:
        more = sum(max(0, size + 1 - count) for count in counts)
        if more > budget:
            return size
        if size >= max(counts):  # from here on each step takes one of every colour
            return size + budget_left(budget, size, counts) // len(counts)
        size += 1


def budget_left(budget, size, counts):
    return budget - sum(max(0, size - count) for count in counts)


def to_stop(members, count):
    """The names of ``count`` members to stop: first who gets no traffic anyhow, then who is unhealthy, then the highest number."""
    order = sorted(members, key=lambda member: (member.weight == 0, not member.healthy, member.number), reverse=True)
    return [member.name for member in order[:count]]


class Plan:
    """What scaling would do: a verdict, refusals and notices, and what changes in each colour (``moves``: service to dict)."""

    def __init__(self):
        self.verdict, self.refusals, self.notices, self.moves = GO, [], [], {}
        self.largest = None

    def refuse(self, gate, message, override=True):
        self.refusals.append({"gate": gate, "message": message, "override": override})

    def settle(self, overrides):
        """Turn the refusals that an override lifts into notices, and say what is left to do."""
        lifted = [refusal for refusal in self.refusals if refusal["override"] and refusal["gate"] in overrides]
        self.refusals = [refusal for refusal in self.refusals if refusal not in lifted]
        self.notices += ["Overridden: {0}".format(refusal["message"]) for refusal in lifted]
        moved = any(move["start"] or move["stop"] for move in self.moves.values())
        self.verdict = REFUSED if self.refusals else GO if moved else NOTHING_TO_DO
        return self


def move(colour, size):
    """What must be done to make a colour have ``size`` replicas (dict)."""
    running = len(colour.members)
    return {
        "before": running,
        "after": size,
        "start": max(0, size - running),
        "stop": to_stop(colour.members, max(0, running - size)),
        "version": colour.version,
        "release": colour.release,
    }


def make_plan(live, warm, wanted, minimum, slots=None, memory=None, idle_count=0):
    """The Plan that gives the colour ``live``, and with it ``warm`` where that is not None, ``wanted`` replicas.

    ``slots`` and ``memory`` are None where they are not known; the caller says why. ``idle_count``: what runs in the colour without
    traffic, whether or not it goes along. The caller settles the plan.
    """
    plan = Plan()
    plan.moves = {colour.service: move(colour, wanted) for colour in (live, warm) if colour}
    if wanted < minimum:
        plan.refuse(
            "floor",
            "{0} of {1} is below the floor of {2} (scale_minimum): the service could not lose one. Ask for {2} or more; "
            "ops_override: [floor] with ops_reason goes below.".format(replicas(wanted), live.service, minimum),
        )
    counts = [len(live.members), idle_count]
    rooms = []
    if slots:
        rooms.append(room_for_slots(slots, len(counts)))
    if memory:
        rooms.append(room_for_memory(memory, counts))
    plan.largest = min(rooms) if rooms else None
    if any(found["start"] for found in plan.moves.values()):
        advice = "The largest number that fits is {0}: scale_replicas={0}.".format(plan.largest)
        if slots and wanted > room_for_slots(slots, len(counts)):
            plan.refuse("connections", slots_sentence(slots, wanted, len(counts), advice))
        if memory and wanted > room_for_memory(memory, counts):
            plan.refuse("memory", memory_sentence(memory, wanted, counts, advice))
    return plan


def slots_sentence(slots, wanted, colours, advice):
    return (
        "{wanted} need {needed} connection slots of PostgreSQL ({colours} colours x {count} x a pool of {pool}{hosts}, since a release "
        "runs both), and {free} are free for them: {usable} usable, less {others} that others use and {reserve} kept free. {advice} "
        "More takes a smaller pool (scale_pool_size says how large it is), a higher max_connections, or a pooler; "
        "ops_override: [connections] with ops_reason goes beyond."
    ).format(
        wanted=replicas(wanted),
        needed=colours * wanted * slots.pool * slots.hosts,
        colours=colours,
        count=wanted,
        pool=slots.pool,
        hosts=" on {0} hosts".format(slots.hosts) if slots.hosts > 1 else "",
        free=max(0, slots.usable - slots.others - slots.reserve),
        usable=slots.usable,
        others=slots.others,
        reserve=slots.reserve,
        advice=advice,
    )


def memory_sentence(memory, wanted, counts, advice):
    more = sum(max(0, wanted - count) for count in counts)
    return (
        "{wanted} in both colours need {needed} MiB more on this host ({more} further ones of {each} MiB), and {free} MiB are free for "
        "them: {available} available, less {growth} by which those that run may grow and {reserve} kept free. {advice} "
        "ops_override: [memory] with ops_reason goes beyond."
    ).format(
        wanted=replicas(wanted),
        needed=more * memory.replica // 2**20,
        more=more,
        each=memory.replica // 2**20,
        free=max(0, memory.available - memory.growth - memory.reserve) // 2**20,
        available=memory.available // 2**20,
        growth=memory.growth // 2**20,
        reserve=memory.reserve // 2**20,
        advice=advice,
    )


def replicas(number):
    return "1 replica" if number == 1 else "{0} replicas".format(number)
