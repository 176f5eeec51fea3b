# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""certbot: what it is told, where it leaves certificates, and what it says of an order that failed. Private: other collections must not
import it.
"""

from __future__ import annotations

import os
import re
import shutil
import sys

from ansible_collections.astraldraft.ops.plugins.module_utils import _tls, _x509
from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError
from ansible_collections.astraldraft.ops.plugins.module_utils._net import ProbeError

CHALLENGES = ".well-known/acme-challenge"
LOG_FILES_KEPT = 20
_PROBLEM = re.compile(r"^\s*(Domain|Identifier|Type|Detail):\s*(.*?)\s*$")
_NOISE = re.compile(
    r"^(Saving debug log|Ask for help|Hint:|See the logfile|Please see the logfile|Some challenges have failed|Certbot failed)"
)


def program(given=None):
    """The path of certbot: the one given, else the one beside the Python that runs this, else the one on PATH. Raises OpsError."""
    if given:
        found = shutil.which(given)
    else:
        # Not its real path: that of a virtual environment's Python leads out of it.
        beside = os.path.join(os.path.dirname(sys.executable or ""), "certbot")
        found = beside if os.access(beside, os.X_OK) else shutil.which("certbot")
    if not found:
        what = "There is no program {0}".format(given) if given else "certbot is not installed here"
        raise OpsError(
            "{0}, so no certificate can be ordered. Install it where the module's Python is (the playbook stack does that), or as Debian's "
            "package certbot, or name it (certbot_path).".format(what)
        )
    return found


def arguments(certbot, options):
    """The argument list of an order of the certificate ``options["name"]`` for ``options["names"]``.

    Whether it is due has been decided; certbot is not asked again. It changes nothing of the servers: no hook, no installer.
    """
    folder = options["path"]
    argv = [certbot, "certonly", "--non-interactive", "--agree-tos", "--webroot", "--webroot-path", options["webroot"]]
    argv += ["--cert-name", options["name"], "--force-renewal", "--renew-with-new-domains", "--key-type", options["key_type"]]
    argv += ["--server", options["server"], "--config-dir", folder, "--no-directory-hooks", "--max-log-backups", str(LOG_FILES_KEPT)]
    argv += ["--work-dir", os.path.join(folder, "work"), "--logs-dir", os.path.join(folder, "logs")]
    argv += ["--email", options["email"]] if options["email"] else ["--register-unsafely-without-email"]
    for name in options["names"]:
        argv += ["-d", name]
    return argv


def environment(options):
    """Whom certbot trusts as the authority's own server, where that is not the system's business."""
    return {"REQUESTS_CA_BUNDLE": options["server_ca_path"]} if options["server_ca_path"] else {}


def files(path, name):
    """``(chain, key)``: the files in which certbot keeps the newest certificate of that name, under its folder."""
    folder = os.path.join(path, "live", name)
    return os.path.join(folder, "fullchain.pem"), os.path.join(folder, "privkey.pem")


def newest(path, name):
    """The newest certificate (_x509.Certificate) of that name, None where none was ever ordered. Raises OpsError on one that is damaged."""
    chain, _key = files(path, name)
    if not os.path.lexists(chain):
        return None
    try:
        return _x509.describe(_tls.chain_in_file(chain)[0])
    except (ProbeError, ValueError) as error:
        raise OpsError(
            "What certbot keeps of {0} cannot be read: {1}. Nothing was ordered. Move {2} away to begin anew.".format(name, error, path)
        )


def complaint(said):
    """Why an order failed, in one line: what the authority says of each name, else certbot's own last words."""
    problems, lines = [], []
    for line in said.splitlines():
        match = _PROBLEM.match(line)
        if match and match.group(1) in ("Domain", "Identifier"):
            problems.append([match.group(2)])
        elif match and problems:
            problems[-1].append(match.group(2))
        elif line.strip() and not _NOISE.match(line.strip()):
            lines.append(line.strip())
    if problems:
        return "; ".join("{0}: {1}".format(problem[0], ", ".join(problem[1:]) or "no reason given") for problem in problems)
    return " ".join(lines[-3:]) or "it said nothing"
