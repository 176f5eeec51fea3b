# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The certificates that a server may load, of which one is the current one. Private: other collections must not import it.

    server.crt -> current/fullchain.pem      what the server's configuration names
    server.key -> current/privkey.pem
    current    -> versions/<when>-<which>    replaced by one rename, so that certificate and key never belong to different ones
    previous   -> versions/<when>-<which>    what was current before, to go back to

Links are relative: the folder has another path inside a container.
"""

from __future__ import annotations

import os
import shutil
import ssl
import tempfile

from ansible_collections.astraldraft.ops.plugins.module_utils import _tls, _x509
from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError
from ansible_collections.astraldraft.ops.plugins.module_utils._files import sync_folder, write_atomically
from ansible_collections.astraldraft.ops.plugins.module_utils._net import ProbeError

CHAIN, KEY = "fullchain.pem", "privkey.pem"
VERSIONS, CURRENT, PREVIOUS = "versions", "current", "previous"


def version_name(certificate):
    """What the folder of a certificate (_x509.Certificate) is called: the newest comes last in the alphabet."""
    return "{0:%Y%m%dT%H%M%SZ}-{1}".format(certificate.not_before, _x509.fingerprint(certificate.der)[:12])


class Store:
    """The folder ``path``, in which the server's configuration names the files ``certificate`` and ``key``."""

    def __init__(self, path, certificate="server.crt", key="server.key"):
        self.path, self._certificate, self._key = path, certificate, key

    def inside(self, *parts):
        return os.path.join(self.path, *parts)

    def installed(self):
        """The certificate (_x509.Certificate) that the server would load now, None where there is none that can be read."""
        try:
            return _x509.describe(_tls.chain_in_file(self.inside(self._certificate))[0])
        except (ProbeError, ValueError):
            return None

    def current(self):
        """The version (str) that is current, None where the files are plain ones, or none."""
        return self._target(CURRENT)

    def previous(self):
        return self._target(PREVIOUS)

    def _target(self, link):
        try:
            return os.path.basename(os.readlink(self.inside(link)))
        except OSError:
            return None

    def whole(self):
        """Whether the server's files are links to the current version, as they are once :meth:`adopt` has run."""
        wanted = {self._certificate: CHAIN, self._key: KEY}
        try:
            return all(os.readlink(self.inside(name)) == os.path.join(CURRENT, target) for name, target in wanted.items())
        except OSError:
            return False

    def add(self, chain, key):
        """Keep a certificate and its key (PEM, str) as a version; nothing is switched. -> its name. Raises OpsError when they do not fit.

        ``chain`` begins with the certificate. A version that is there already is proved likewise.
        """
        try:
            name = version_name(_x509.describe(_x509.from_pem(chain.encode("utf-8"))[0]))
        except (ValueError, IndexError) as error:
            raise OpsError("What is to be kept is no certificate ({0}), so nothing was switched.".format(error))
        os.makedirs(self.inside(VERSIONS), mode=0o700, exist_ok=True)
        fresh = tempfile.mkdtemp(prefix=".", dir=self.inside(VERSIONS))
        try:
            write_atomically(os.path.join(fresh, CHAIN), chain, 0o644)
            write_atomically(os.path.join(fresh, KEY), key, 0o600)
            _demand_pair(os.path.join(fresh, CHAIN), os.path.join(fresh, KEY))
            if not os.path.isdir(self.inside(VERSIONS, name)):
                os.rename(fresh, self.inside(VERSIONS, name))
                sync_folder(self.inside(VERSIONS))
        finally:
            shutil.rmtree(fresh, ignore_errors=True)
        return name

    def adopt(self):
        """Make the plain files that somebody else put there a version, and the links to it. What the server loads is the same before, after
        and at every instant between. Files that no server could load are left alone: there is nothing to go back to."""
        if self.whole():
            return
        try:
            version = self.add(*[_text(self.inside(name)) for name in (self._certificate, self._key)])
        except (FileNotFoundError, UnicodeDecodeError, OpsError):
            return
        # Where it broke off between the two links, it is the version that is current already.
        self._link(CURRENT, os.path.join(VERSIONS, version))
        self._name_files()

    def _name_files(self):
        for name, target in ((self._certificate, CHAIN), (self._key, KEY)):
            self._link(name, os.path.join(CURRENT, target))

    def switch(self, version):
        """Make ``version`` the current one by one rename, and remember the one before."""
        before = self.current()
        if before and before != version:
            self._link(PREVIOUS, os.path.join(VERSIONS, before))
        self._link(CURRENT, os.path.join(VERSIONS, version))
        if not self.whole():
            self._name_files()

    def prune(self, keep):
        """Remove all but the ``keep`` newest versions; never the current and the previous one. -> the names of those removed

        What an :meth:`add` that was killed left behind goes, too: there may be a key in it.
        """
        names = sorted(os.listdir(self.inside(VERSIONS)))
        for name in [name for name in names if name.startswith(".")]:
            shutil.rmtree(self.inside(VERSIONS, name))
            names.remove(name)
        gone = [name for name in names[: max(0, len(names) - keep)] if name not in (self.current(), self.previous())]
        for name in gone:
            shutil.rmtree(self.inside(VERSIONS, name))
        return gone

    def _link(self, name, target):
        folder = tempfile.mkdtemp(prefix=".", dir=self.path)
        try:
            os.symlink(target, os.path.join(folder, "link"))
            os.replace(os.path.join(folder, "link"), self.inside(name))
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        sync_folder(self.path)


def _text(path):
    with open(path, encoding="utf-8") as stream:
        return stream.read()


def _demand_pair(chain, key):
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(chain, key, password=_no_password)
    except (ssl.SSLError, OSError, ValueError) as error:
        words = (getattr(error, "reason", None) or str(error)).replace("_", " ").lower()
        raise OpsError("The certificate and its key are no pair that a server can load ({0}), so nothing was switched.".format(words))


def _no_password():
    raise ValueError("the key is encrypted, and nobody is there to type its password")
