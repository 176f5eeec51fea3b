"""A mail server that a case asks: one for all runs of a process, since the port must be known when the case is made."""

from __future__ import annotations

import functools
import tempfile
from pathlib import Path

from ansible_collections.astraldraft.ops.tests.unit.plugins.module_utils import misbehaving
from ansible_collections.astraldraft.ops.tests.unit.plugins.module_utils.mailbox import Mailbox

REFUSED = "nobody@astraldraft.test"
_kept: list[object] = []


@functools.cache
def mailbox() -> tuple[int, str]:
    """Its port, and the path of the certificate that it is known by."""
    folder = tempfile.TemporaryDirectory(prefix="mailbox-")
    certificate, key = misbehaving.make_certificate(Path(folder.name))
    server = Mailbox(misbehaving.tls_context(certificate, key), login=True, refuses=(REFUSED,)).serving()
    _kept.extend([folder, server])  # until the process ends
    return server.__enter__(), str(certificate)
