# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is asked of a certificate: names, chain, time left, whether it is due. Private: other collections must not import it.

Data in, findings out: tuples ``(verdict, reason, sentence, next)`` as the health checks have them. The certificates are those of _x509.
"""

from __future__ import annotations

import hashlib

from ansible_collections.astraldraft.ops.plugins.module_utils import _x509
from ansible_collections.astraldraft.ops.plugins.module_utils._checks_net import lifetime
from ansible_collections.astraldraft.ops.plugins.module_utils._time import from_iso, to_iso

#: Certbot 4.0 and newer renew with a third of the lifetime left, too.
RENEW_FRACTION = 1 / 3
RENEW_FRACTION_SPEC = {"renew_fraction": {"type": "float", "default": round(RENEW_FRACTION, 4)}}


def missing_names(names, wanted):
    """Those of ``wanted`` that a certificate for ``names`` is not for. A wildcard stands for one label, the first."""
    known = {name.lower() for name in names}
    return [name for name in wanted if not {name.lower(), "*." + name.lower().partition(".")[2]} & known]


def told(certificate):
    """What a result says of a certificate (dict): who, for what, until when. None for None."""
    if certificate is None:
        return None
    return {
        "subject": certificate.subject,
        "issuer": certificate.issuer,
        "names": certificate.names,
        "serial": certificate.serial,
        "fingerprint_sha256": _x509.fingerprint(certificate.der),
        "not_before": to_iso(certificate.not_before),
        "not_after": to_iso(certificate.not_after),
    }


def name_findings(target, certificate, wanted):
    missing = missing_names(certificate.names, wanted)
    if not missing:
        return []
    sentence = "{0} serves a certificate for {1}, which is not for {2}".format(
        target, ", ".join(certificate.names) or "no name", ", ".join(missing)
    )
    return [("wrong_answer", "missing_names", sentence, "Order one with every name: the playbook certificate_renew does.")]


def chain_findings(target, chain):
    """Findings about all that a server sends (list of Certificate, the server's own first; None where that is not known)."""
    found = []
    for lower, upper in zip(chain or [], (chain or [])[1:]):
        if lower.issuer_der != upper.subject_der:
            sentence = "{0} sends {1} after {2}, which {3} issued".format(target, upper.subject, lower.subject, lower.issuer)
            found.append(("degraded", "chain_order", sentence, "Serve the certificate first, then each issuer of the one before."))
        if upper.not_after < chain[0].not_after:
            sentence = "the issuer {0} in the chain of {1} expires before the certificate, on {2}".format(
                upper.subject, target, to_iso(upper.not_after)
            )
            found.append(("degraded", "chain_expires", sentence, "Renew it, so that it comes with a newer issuer."))
    return found


def due(certificate, now, wanted=(), fraction=RENEW_FRACTION, window=None, force=False):
    """Why a certificate is to be renewed (list of str), empty when it is not. ``certificate`` is None where there is none yet.

    ``window`` is what the authority suggests (dict with ``start`` and ``end``): of that the same moment is taken every time, and another
    one for every certificate, so that not all the world comes at once.
    """
    if certificate is None:
        return ["there is none yet"]
    reasons = ["it is forced"] if force else []
    missing = missing_names(certificate.names, wanted)
    if missing:
        reasons.append("it is not for {0}".format(", ".join(missing)))
    left = lifetime(certificate.not_before, certificate.not_after, now)
    if left["fraction_left"] < fraction:
        reasons.append("{0:.0%} of its lifetime is left, less than {1:.0%}".format(left["fraction_left"], fraction))
    if window and now >= moment_in(window, certificate.der):
        reasons.append("its authority suggests to renew it between {0} and {1}".format(window["start"], window["end"]))
    return reasons


def moment_in(window, der):
    """The moment in the window (aware datetime) at which this certificate's turn is."""
    start, end = from_iso(window["start"]), from_iso(window["end"])
    share = int(hashlib.sha256(der).hexdigest()[:8], 16) / 0xFFFFFFFF
    return start + (end - start) * share


def unfit(chain, wanted, now):
    """Why a chain (list of Certificate, own first) is not one to serve for the names ``wanted`` at this moment (list of str)."""
    own, reasons = chain[0], []
    missing = missing_names(own.names, wanted)
    if missing:
        reasons.append("it is for {0}, and not for {1}".format(", ".join(own.names) or "no name", ", ".join(missing)))
    if now < own.not_before:
        reasons.append("it is valid only from {0} on".format(to_iso(own.not_before)))
    if now >= own.not_after:
        reasons.append("it has expired on {0}".format(to_iso(own.not_after)))
    if own.authority:
        reasons.append("it is an authority's own certificate")
    reasons += [sentence for verdict, reason, sentence, _next in chain_findings("the file", chain) if reason == "chain_order"]
    return reasons
