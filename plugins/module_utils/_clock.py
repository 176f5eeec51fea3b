# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The time of a job in cron's spelling, as systemd spells it. Private: other collections must not import it."""

from __future__ import annotations

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAY_NUMBERS = {name.lower(): number for number, name in enumerate(("Sun",) + DAYS)}
_MONTH_NUMBERS = {name: number for number, name in enumerate(MONTHS, 1)}
#: What each of the five fields is, its least and its greatest value, and the names that stand for numbers.
FIELDS = (
    ("minute", 0, 59, {}),
    ("hour", 0, 23, {}),
    ("day of the month", 1, 31, {}),
    ("month", 1, 12, _MONTH_NUMBERS),
    ("day of the week", 0, 7, _DAY_NUMBERS),
)


def _number(text, field):
    what, least, greatest, names = field
    number = names.get(text.lower(), int(text) if text.isascii() and text.isdigit() else None)
    if number is None or not least <= number <= greatest:
        raise ValueError("{0!r} is no {1}: {2} to {3}".format(text, what, least, greatest))
    return number


def _values(text, field):
    """The numbers that one field of cron's spelling stands for: a set."""
    found = set()
    for part in text.split(","):
        span, slash, step = part.partition("/")
        first, dash, last = span.partition("-")
        least, greatest = (field[1], field[2]) if span == "*" else (_number(first, field), _number(last if dash else first, field))
        if least > greatest:
            raise ValueError("{0!r} begins after its end".format(part))
        if slash and not (step.isascii() and step.isdigit() and int(step) and (dash or span == "*")):
            raise ValueError("{0!r} has no step that cron knows, such as */5 or 8-18/2".format(part))
        found.update(range(least, greatest + 1, int(step or 1)))
    return found


def _spelt(values, field, width):
    _what, least, greatest, _names = field
    everything = len(values) == greatest - least + 1
    return "*" if everything else ",".join("{0:0{1}d}".format(number, width) for number in sorted(values))


def on_calendar(text):
    """What systemd's ``OnCalendar=`` says for cron's five fields: a list, of two where cron means either of two kinds of days.

    Raises ValueError that names the field which is none.
    """
    words = text.split()
    if len(words) != len(FIELDS):
        raise ValueError("{0!r} are not the five fields of cron: minute, hour, day of the month, month, day of the week".format(text))
    minutes, hours, days, months, weekdays = (_values(word, field) for word, field in zip(words, FIELDS))
    at = "{0}:{1}:00".format(_spelt(hours, FIELDS[1], 2), _spelt(minutes, FIELDS[0], 2))
    month, day = _spelt(months, FIELDS[3], 2), _spelt(days, FIELDS[2], 2)
    numbers = sorted({number or 7 for number in weekdays})
    names = "" if len(numbers) == 7 else ",".join(DAYS[number - 1] for number in numbers) + " "
    # Of a day of the month and one of the week cron takes either, unless one of them begins with an asterisk.
    if names and day != "*" and "*" not in (words[2][0], words[4][0]):
        return ["*-{0}-{1} {2}".format(month, day, at), "{0}*-{1}-* {2}".format(names, month, at)]
    return ["{0}*-{1}-{2} {3}".format(names, month, day, at)]
