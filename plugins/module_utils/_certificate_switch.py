# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Another certificate loaded by an nginx that goes on serving, proved, and taken back when it does not work. Private: other collections
must not import it.
"""

from __future__ import annotations

from ansible_collections.astraldraft.ops.plugins.module_utils import _tls, _x509
from ansible_collections.astraldraft.ops.plugins.module_utils._certificate_store import CHAIN, KEY, VERSIONS
from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError
from ansible_collections.astraldraft.ops.plugins.module_utils._net import ProbeError, where
from ansible_collections.astraldraft.ops.plugins.module_utils._place import Host, last_words
from ansible_collections.astraldraft.ops.plugins.module_utils._wait import Deadline, poll

#: So many connections in a row must get the certificate: nginx has several workers.
IN_A_ROW = 3
PROOF_INTERVAL = 0.2
#: As an upstream of its own, which nobody can reach: nginx reads a certificate only where something listens.
CANDIDATE = "server {{ listen 127.0.0.1:1 ssl; ssl_certificate {0}; ssl_certificate_key {1}; }}\n"


class Server:
    """What is served under ``names`` at ``host`` and ``port``: asked of it, each time on a new connection."""

    def __init__(self, params):
        self.host, self.port, self.names = params["host"], params["port"], params["names"]
        self._ca_path, self._verify, self._timeout = params["ca_path"], params["validate_certs"], params["timeout"]

    def certificate(self):
        """What is served under the first name (_x509.Certificate). Raises ProbeError or ValueError."""
        return _x509.describe(self._ask(self.names[0]).certificate)

    def seen(self):
        """The same, None where nothing is served that could be read."""
        try:
            return self.certificate()
        except (ProbeError, ValueError):
            return None

    def _ask(self, name):
        return _tls.served(self.host, self.port, name, self._ca_path, self._timeout)

    def objection(self, fingerprint, verify=True):
        """Why it cannot be said that the certificate of that fingerprint is served (and good), in words; None when it can."""
        target = where(self.host, self.port)
        for name in list(self.names) * IN_A_ROW:
            try:
                found = self._ask(name)
            except ProbeError as error:
                return error.message
            if _x509.fingerprint(found.certificate) != fingerprint:
                return "{0} serves another certificate under {1}".format(target, name)
            if found.flaw and verify and self._verify:
                return "{0} (asked for {1})".format(found.flaw.message, name)
        return None


class Switch:
    """To ``version`` of ``store`` (a Store), which the nginx of ``balancer`` (a LoadBalancer) loads for ``server``, and back."""

    def __init__(self, module, store, balancer, server, version):
        self._module, self._store, self._balancer, self._server, self._version = module, store, balancer, server, version
        current = store.current()
        self._before = current if current != version else store.previous()
        self.reload_seconds = None

    def make(self, fingerprint):
        """Serve the version. Raises OpsError, with the one before in its place again, when that cannot be proved.

        The mark of a switch that was begun stays until :meth:`done`: whoever dies in between has the next run begin anew.
        """
        paths = [self._balancer.inside(VERSIONS, self._version, name) for name in (CHAIN, KEY)]
        self._balancer.test_candidate(CANDIDATE.format(*paths), "the new certificate")
        self._module.fence()
        self._balancer.begin()
        self._store.switch(self._version)
        try:
            self._load()
            self._prove(fingerprint)
        except OpsError as error:
            raise self.back(error)

    def done(self):
        self._balancer.settled()

    def _load(self):
        self._balancer.test()
        self.reload_seconds = self._balancer.load(self._module, settle=False)[1]

    def _prove(self, fingerprint, verify=True):
        limit, beat = self._module.params["wait_timeout"], self._module.heartbeat
        objection = poll(lambda: self._server.objection(fingerprint, verify), lambda found: found is None, limit, PROOF_INTERVAL, beat)[0]
        if objection:
            raise OpsError("After the reload {0}, for {1:g} s.".format(objection.rstrip("."), limit))

    def back(self, error):
        """Put the version before back in place. -> the OpsError to raise because of ``error``

        Raises OpsError, and touches nothing, when the lock has been lost meanwhile: whoever has it now sees the switch through.
        """
        self._module.fence()
        if self._before is None:
            return OpsError(
                "{0} There is no earlier certificate to go back to, so this one stays.".format(error.message),
                **dict(error.evidence, restored=False),
            )
        try:
            self._store.switch(self._before)
            self._load()
            self._prove(_x509.fingerprint(self._store.installed().der), verify=False)
        except OpsError as worse:
            return OpsError(
                "{0} The certificate before was put back in its place, but: {1} Look at once: docker exec {2} nginx -t".format(
                    error.message, worse.message, self._balancer.container.name
                ),
                **dict(error.evidence, restored=False, **worse.evidence),
            )
        self.done()
        return OpsError(
            "{0} The certificate before is back in its place, and is the one that is served.".format(error.message),
            **dict(error.evidence, restored=True),
        )


def run_hooks(module, hooks, environment):
    """Run commands (list of argument lists), one after the other. -> how many went well. Raises HookError at the first that does not."""
    for number, argv in enumerate(hooks):
        deadline = Deadline(module.params["hook_timeout"])

        def tick(argv=argv, deadline=deadline, number=number):
            module.heartbeat()
            if deadline.passed:
                raise HookError(number, "The hook {0} took longer than {1:g} s and was ended.".format(argv[0], deadline.seconds))

        done = Host(0).run(argv, tick, environment)
        if done.code:
            raise HookError(
                number, "The hook {0} failed with exit code {1}: {2}.".format(argv[0], done.code, last_words(done.complaint).rstrip("."))
            )
    return len(hooks)


class HookError(OpsError):
    """A hook that failed; ``number`` of them went well before."""

    def __init__(self, number, message):
        super().__init__(message)
        self.number = number
