# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""When a certificate's authority wants it to be renewed: ACME renewal information, RFC 9773. Private: other collections must not import it.

Asked of the authority itself, by GET, so that check mode and a report know it, too, and certbot may be one that does not (4.0).
"""

from __future__ import annotations

import base64

from ansible_collections.astraldraft.ops.plugins.module_utils._http_json import ask_json, not_like
from ansible_collections.astraldraft.ops.plugins.module_utils._time import from_iso, to_iso

AUTHORITY = "the certificate authority"


def certificate_id(certificate):
    """What the authority knows a certificate (_x509.Certificate) by: key identifier and serial. None where it names no key."""
    if certificate.authority_key is None:
        return None
    parts = (certificate.authority_key, certificate.serial_der)
    return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode("ascii") for part in parts)


def suggested(connection, certificate):
    """The window (dict: ``start``, ``end``, ``explanation_url``) in which the authority wants it renewed.

    ``connection`` are the arguments of an HTTP request, ``url`` the authority's directory. None where the authority has no such
    information, or does not know the certificate. Raises ProbeError.
    """
    name = certificate_id(certificate)
    directory = ask_json(connection, "", service=AUTHORITY).document
    if not isinstance(directory, dict) or "newOrder" not in directory:
        raise not_like("ACME", connection["url"])
    if name is None or not isinstance(directory.get("renewalInfo"), str):
        return None
    # A certificate of another authority is not known there, which each says in its own way.
    answer = ask_json(dict(connection, url=directory["renewalInfo"]), "/" + name, service=AUTHORITY, accepted=(400, 404))
    return window_in(answer.document, connection["url"]) if answer.status == 200 else None


def window_in(document, url):
    """The window in an answer. Raises ProbeError where it holds none."""
    try:
        window = document["suggestedWindow"]
        start, end = (to_iso(from_iso(window[name])) for name in ("start", "end"))
    except (KeyError, TypeError, ValueError, AttributeError):
        raise not_like("ACME", url)
    return {"start": start, "end": end, "explanation_url": str(document.get("explanationURL") or "")}
