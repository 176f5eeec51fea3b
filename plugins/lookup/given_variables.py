# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: given_variables
short_description: What the operator gave on the command line or in the survey, without secrets
version_added: 0.1.0
description:
  - Returns the extra variables (C(-e), AWX surveys) that a role of this collection declares, as they were given, for the audit trail.
  - Secrets are hidden as M(astraldraft.ops.journal_entry) hides them, and what is encrypted with Ansible Vault is not decrypted, so that
    they do not leave the control machine.
author:
  - Astral Draft Platform Engineering (@astraldraft)
options:
  _terms:
    description: Names to leave out, for example of what is recorded by itself.
    type: list
    elements: str
    default: []
"""

EXAMPLES = r"""
- name: Show what was given
  ansible.builtin.debug:
    msg: "{{ query('astraldraft.ops.given_variables', 'ops_reason', 'ops_operator') | first }}"
"""

RETURN = r"""
_raw:
  description: One dictionary, the variables by name.
  type: list
  elements: dict
"""

from ansible.parsing.vault import EncryptedString
from ansible.plugins.lookup import LookupBase
from ansible.utils.vars import load_extra_vars
from ansible_collections.astraldraft.ops.plugins.action.assert_variables import ROLES, role_variables
from ansible_collections.astraldraft.ops.plugins.module_utils._redact import MASK, redact


def without_vault(value):
    """A plain copy of ``value`` in which nothing that is encrypted is left to be decrypted."""
    if isinstance(value, EncryptedString):
        return MASK
    if isinstance(value, dict):
        return {str(name): without_vault(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [without_vault(item) for item in value]
    return value


class LookupModule(LookupBase):
    def run(self, terms, variables=None, **kwargs):
        known = set().union(*role_variables(ROLES).values()) - set(terms)
        given = load_extra_vars(loader=self._loader)
        return [redact({name: without_vault(given[name]) for name in sorted(given) if name in known})]
