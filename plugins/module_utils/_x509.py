# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an X.509 certificate says, read without a library. Private: other collections must not import it.

A walk of the few fields that an operator asks for, so that even a certificate that fails verification has them told, and a host needs
nothing but Python for it. What is signed by whom is for OpenSSL to verify: nothing here says that a certificate is genuine.
"""

from __future__ import annotations

import base64
import binascii
import collections
import datetime
import hashlib
import ipaddress
import re

#: ``names`` are the DNS names and addresses that it is for; ``subject`` and ``issuer`` are for people, their ``_der`` to compare;
#: ``serial_der`` and ``authority_key`` (bytes or None) are what renewal information goes by.
Certificate = collections.namedtuple(
    "Certificate", "subject issuer names serial not_before not_after authority subject_der issuer_der serial_der authority_key der"
)

_PEM = re.compile(rb"-----BEGIN CERTIFICATE-----(.+?)-----END CERTIFICATE-----", re.DOTALL)
_VERSION, _EXTENSIONS = 0xA0, 0xA3
_OCTETS, _BOOLEAN, _OID, _UTC_TIME = 0x04, 0x01, 0x06, 0x17
_DNS, _ADDRESS, _KEY_ID = 0x82, 0x87, 0x80
_COMMON_NAME, _ORGANIZATION = b"\x55\x04\x03", b"\x55\x04\x0a"
_ALT_NAMES, _CONSTRAINTS, _AUTHORITY_KEY = b"\x55\x1d\x11", b"\x55\x1d\x13", b"\x55\x1d\x23"


def from_pem(text):
    """The certificates (list of DER bytes) in a PEM text (bytes), in order. Raises ValueError on one that is no base64."""
    try:
        return [base64.b64decode(match.group(1)) for match in _PEM.finditer(text)]
    except binascii.Error as error:
        raise ValueError("a certificate in it is damaged: {0}".format(error))


def to_pem(certificates):
    """A PEM text (str) of DER certificates."""
    lines = []
    for der in certificates:
        word = base64.b64encode(der).decode("ascii")
        lines += ["-----BEGIN CERTIFICATE-----"] + [word[at : at + 64] for at in range(0, len(word), 64)] + ["-----END CERTIFICATE-----"]
    return "\n".join(lines + [""])


def fingerprint(certificate):
    """SHA-256 of a DER certificate as lower-case hexadecimal."""
    return hashlib.sha256(certificate).hexdigest()


def describe(certificate):
    """The :class:`Certificate` of a DER certificate (bytes). Raises ValueError."""
    fields = _children(certificate, *_inside(certificate, 0))
    body = _children(certificate, *_bounds(fields, 0))
    if body and body[0][0] == _VERSION:  # absent in X.509 v1
        body = body[1:]
    serial, issuer, validity, subject = (_content(certificate, body, index) for index in (0, 2, 3, 4))
    not_before, not_after = (_moment(tag, validity[start:end]) for tag, start, end in _children(validity, 0, len(validity))[:2])
    extensions = _extensions(certificate, body)
    return Certificate(
        subject=_person(subject),
        issuer=_person(issuer),
        names=_names(extensions.get(_ALT_NAMES, b"")),
        serial=serial.lstrip(b"\0").hex() or "00",
        not_before=not_before,
        not_after=not_after,
        authority=_is_authority(extensions.get(_CONSTRAINTS, b"")),
        subject_der=subject,
        issuer_der=issuer,
        serial_der=serial,
        authority_key=_authority_key(extensions.get(_AUTHORITY_KEY, b"")),
        der=certificate,
    )


def _field(der, at):
    """``(tag, start, end)`` of the DER field at ``at``."""
    try:
        tag, length, start = der[at], der[at + 1], at + 2
        if length & 0x80:
            size = length & 0x7F
            length, start = int.from_bytes(der[start : start + size], "big"), start + size
    except IndexError:
        raise ValueError("the certificate is cut short")
    if start + length > len(der):
        raise ValueError("the certificate is cut short")
    return tag, start, start + length


def _inside(der, at):
    _tag, start, end = _field(der, at)
    return start, end


def _children(der, start, end):
    """The fields (list of ``(tag, start, end)``) between two places."""
    found = []
    while start < end:
        found.append(_field(der, start))
        start = found[-1][2]
    return found


def _bounds(fields, index):
    try:
        return fields[index][1:]
    except IndexError:
        raise ValueError("the certificate lacks a field")


def _content(der, fields, index):
    start, end = _bounds(fields, index)
    return der[start:end]


def _moment(tag, content):
    digits = content.decode("ascii")
    if tag == _UTC_TIME:  # two digits of the year, 50 and above meaning 19xx
        digits = ("19" if digits >= "50" else "20") + digits
    return datetime.datetime.strptime(digits, "%Y%m%d%H%M%SZ").replace(tzinfo=datetime.timezone.utc)


def _person(name):
    """The common name in a DER name, else its organization, else nothing."""
    found = {}
    for _set, start, end in _children(name, 0, len(name)):
        for _pair, inner, last in _children(name, start, end):
            fields = _children(name, inner, last)
            if len(fields) == 2:
                found[_content(name, fields, 0)] = _content(name, fields, 1).decode("utf-8", "replace")
    return found.get(_COMMON_NAME) or found.get(_ORGANIZATION) or ""


def _extensions(der, body):
    """The extensions (dict): object identifier to content, both bytes."""
    found = {}
    for tag, start, _end in body:
        if tag != _EXTENSIONS:
            continue
        for _sequence, inner, last in _children(der, *_inside(der, start)):
            fields = [field for field in _children(der, inner, last) if field[0] in (_OID, _OCTETS)]
            if len(fields) == 2:
                found[_content(der, fields, 0)] = _content(der, fields, 1)
    return found


def _names(content):
    found = []
    for tag, start, end in _children(content, *_inside(content, 0)) if content else []:
        value = content[start:end]
        if tag == _DNS:
            found.append(value.decode("ascii", "replace").lower())
        elif tag == _ADDRESS:
            found.append(str(ipaddress.ip_address(value)))
    return found


def _is_authority(content):
    return bool(content) and any(tag == _BOOLEAN and content[start] for tag, start, _end in _children(content, *_inside(content, 0)))


def _authority_key(content):
    fields = _children(content, *_inside(content, 0)) if content else []
    return next((content[start:end] for tag, start, end in fields if tag == _KEY_ID), None)
