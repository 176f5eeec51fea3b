# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Numbers that were measured, how sure they are, and where the limit lies. Private: other collections must not import it."""

from __future__ import annotations

import collections
import math
import operator
import statistics

OPERATORS = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge, "==": operator.eq, "!=": operator.ne}
UPWARD, DOWNWARD = (">", ">="), ("<", "<=")

#: A number, the bounds between which it surely lies, and how many samples it was counted in (None where nothing was counted).
Sample = collections.namedtuple("Sample", "value low high count")


def exact(value):
    """The Sample of a number about which there is no doubt."""
    return Sample(value, value, value, None)


def share(part, whole, confidence=None):
    """The Sample of a share: ``part`` out of ``whole``.

    Wilson's score interval says where the true share lies, each bound with the ``confidence`` given (0.5 to 1, exclusive); it
    is right for few samples and for shares near 0 too. Without ``confidence`` the share is taken as it is. NaN without samples.
    """
    if not whole > 0:
        return exact(math.nan)
    # Prometheus extrapolates each increase for itself: the part may come out larger than the whole.
    value = min(1.0, max(0.0, part / whole))
    if confidence is None:
        return Sample(value, value, value, whole)
    z = statistics.NormalDist().inv_cdf(confidence)
    centre, scale = value + z * z / (2 * whole), 1 + z * z / whole
    reach = z * math.sqrt(value * (1 - value) / whole + z * z / (4 * whole * whole))
    return Sample(value, max(0.0, (centre - reach) / scale), min(1.0, (centre + reach) / scale), whole)


def limit(comparison, good, baseline=None, factor=1.0, margin=0.0):
    """The number that ``comparison`` (operator, value) holds others against; ``good`` says whether it is good to fulfil it.

    With a ``baseline`` (Sample) it is so many times that, and the ``margin``; but ``value`` where that is the stricter one and the
    baseline itself keeps to it. What is doubtful about the baseline makes the comparison harder to fulfil.
    """
    if baseline is None:
        return comparison["value"]
    upward = comparison["operator"] in UPWARD
    known = baseline.high if upward else baseline.low
    found, fixed = known * factor + margin, comparison["value"]
    if upward != good:  # much is bad
        return min(found, fixed) if baseline.value <= fixed else found
    return max(found, fixed) if baseline.value >= fixed else found


def holds(comparison, sample, threshold):
    """Whether the ``sample`` surely is on that side of the ``threshold``: what is doubtful about it counts against it."""
    name = comparison["operator"]
    bound = sample.low if name in UPWARD else sample.high if name in DOWNWARD else sample.value
    return OPERATORS[name](bound, threshold)


def spell(value, unit=""):
    """A number as people read it: shares, whose unit is ``%``, as per cent."""
    if unit == "%":
        return "{0:.3g} %".format(value * 100)
    return "{0:.4g}{1}".format(value, " " + unit if unit else "")


def show(samples, unit=""):
    """One sample, with what it was counted in, or the range of several."""
    if len(samples) > 1:
        values = [sample.value for sample in samples]
        return "{0} to {1} ({2} values)".format(spell(min(values), unit), spell(max(values), unit), len(values))
    return spell(samples[0].value, unit) + (" of {0:.0f}".format(samples[0].count) if samples[0].count else "")
