# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""TLS contexts, and the certificates that are served. Private: other collections must not import it."""

from __future__ import annotations

import collections
import os
import socket
import ssl
import threading
import time

from ansible_collections.astraldraft.ops.plugins.module_utils import _x509
from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError
from ansible_collections.astraldraft.ops.plugins.module_utils._net import ProbeError, connect, explain, where

#: OpenSSL's verification codes and what they mean to a person: reason, sentence, next.
FLAWS = {
    9: ("not_yet_valid", "its certificate is not valid yet", "Compare the clocks of this machine and of the one that issued it."),
    10: ("expired", "its certificate has expired", "Renew it, and make the server load the new one."),
    18: ("self_signed", "its certificate is self-signed", "Install one from a known authority, or name this one in ca_path."),
    19: ("self_signed", "its chain ends in an unknown self-signed authority", "Name that authority's certificate in ca_path."),
    20: ("unknown_issuer", "its issuer is not known here", "Serve the whole chain, or name the authority in ca_path."),
    21: ("unknown_issuer", "its issuer is not known here", "Serve the whole chain (the intermediate is missing), or name it in ca_path."),
    62: ("wrong_host", "its certificate is for another host", "Serve a certificate that names the host that was asked for."),
    64: ("wrong_host", "its certificate is for another address", "Serve a certificate that names the address that was asked for."),
}
MAX_PEM = 1024 * 1024
_contexts = {}
_contexts_lock = threading.Lock()


def context_for(validate_certs=True, ca_path=None):
    """A client's SSLContext, shared by all threads: building one costs more than a request. Raises OpsError on a bad ca_path."""
    with _contexts_lock:
        try:
            changed = os.stat(ca_path).st_mtime_ns if validate_certs and ca_path else None
        except OSError as error:
            raise unreadable(ca_path, error)
        key = (validate_certs, ca_path, changed)
        if key not in _contexts:
            try:
                context = ssl.create_default_context(cafile=ca_path if validate_certs else None)
            except (OSError, ssl.SSLError) as error:
                raise unreadable(ca_path, error)
            if not validate_certs:
                context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            _contexts[key] = context
        return _contexts[key]


def unreadable(ca_path, error):
    return OpsError("The certificates in ca_path {0} cannot be read: {1}. Name a readable PEM file.".format(ca_path, error))


def explain_tls(error, target, seconds):
    """The ProbeError that an SSLError from a handshake or a transfer stands for."""
    if isinstance(error, ssl.SSLCertVerificationError):
        reason, sentence, advice = FLAWS.get(error.verify_code, ("bad_certificate", error.verify_message, "Look at the certificate."))
        return ProbeError("wrong_answer", reason, "{0}: {1} ({2})".format(target, sentence, error.verify_message.rstrip(".")), advice)
    if isinstance(error, socket.timeout) or "timed out" in str(error):
        return explain(socket.timeout(), target, seconds)
    if isinstance(error, (ssl.SSLEOFError, ssl.SSLZeroReturnError)):
        return ProbeError("wrong_answer", "reset", "{0} closed the connection during TLS".format(target), "Read the service's log.")
    word = (getattr(error, "reason", None) or str(error)).replace("_", " ").lower()
    return ProbeError("wrong_answer", "not_tls", "{0} does not speak TLS as expected: {1}".format(target, word), "Is this the TLS port?")


def chain_in_file(path):
    """The certificates in a PEM file, as DER (list of bytes, at least one). Raises ProbeError."""
    try:
        with open(path, "rb") as stream:
            found = _x509.from_pem(stream.read(MAX_PEM))
    except OSError as error:
        message = "the certificate file {0} cannot be read: {1}".format(path, error.strerror)
        raise ProbeError("unreachable", "certificate_file", message, "Correct certificate_path, or give this user the right to read it.")
    except ValueError as error:
        raise ProbeError("wrong_answer", "certificate_file", "{0}: {1}".format(path, error), "Write the file anew.")
    if not found:
        message = "{0} holds no certificate".format(path)
        raise ProbeError("wrong_answer", "certificate_file", message, "Name the PEM file that the server loads.")
    return found


#: What a server presents. ``certificate`` is DER; ``chain`` is all that it sent (list of DER), None where Python is older than 3.10 and
#: does not tell; ``flaw`` is None, or the ProbeError of a failed verification.
Served = collections.namedtuple("Served", "certificate chain flaw")


def served(host, port, server_name, ca_path, seconds):
    """What a server presents (Served), on a connection of its own.

    A certificate that fails is fetched again without verification, to tell its dates. Raises ProbeError when there is no TLS at all.
    """
    ends = time.monotonic() + seconds
    try:
        certificate, chain = _handshake(host, port, server_name, context_for(True, ca_path), ends, seconds)
        return Served(certificate, chain, None)
    except ProbeError as error:
        if not isinstance(error.__cause__, ssl.SSLCertVerificationError):
            raise
        certificate, chain = _handshake(host, port, server_name, context_for(False), ends, seconds)
        return Served(certificate, chain, error)


def _handshake(host, port, server_name, context, ends, seconds):
    plain = connect(host, port, max(0.001, ends - time.monotonic()))
    try:
        plain.settimeout(max(0.001, ends - time.monotonic()))
        with context.wrap_socket(plain, server_hostname=server_name) as secured:
            return secured.getpeercert(binary_form=True), _sent(secured)
    except ssl.SSLError as error:
        raise explain_tls(error, where(host, port), seconds) from error
    except OSError as error:
        raise explain(error, where(host, port), seconds) from error
    finally:
        plain.close()


def _sent(secured):
    """The certificates that the other side sent. Public in Python 3.13; there all the same since 3.10."""
    ask = getattr(secured, "get_unverified_chain", None) or getattr(getattr(secured, "_sslobj", None), "get_unverified_chain", None)
    found = ask() if ask else None
    return [one if isinstance(one, bytes) else ssl.PEM_cert_to_DER_cert(one.public_bytes()) for one in found] if found else None
