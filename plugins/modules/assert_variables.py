#!/usr/bin/python
# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: assert_variables
short_description: Refuse variables that no role of this collection knows
version_added: 0.1.0
description:
  - Looks at all variables of the host that begin with the name of one of the collection's roles, and fails for those that no role declares
    in its argument specification, with the nearest name that is known. With C(run_once) it looks at the variables of all hosts of the play.
  - A misspelt variable would otherwise be ignored, and the operation run with a default that nobody wanted.
  - Words on the command line that belong to no variable are refused, too. In C(-e "state=idle in transaction") the value is C(idle).
author:
  - Astral Draft Platform Engineering (@astraldraft)
extends_documentation_fragment:
  - astraldraft.ops._operation
  - astraldraft.ops._operation.info
  - astraldraft.ops._operation.action_group
attributes:
  action:
    description: Indicates this has a corresponding action plugin so some parts of the options can be executed on the controller.
    support: full
options:
  also_known:
    description: Names that are known beside those that the roles declare.
    type: list
    elements: str
    default: []
  prefixes:
    description: Prefixes that are looked at beside the roles' names.
    type: list
    elements: str
    default: []
  operation_lock_path:
    description: Accepted so that defaults of the action group may name it; it has no effect here.
  operation_token:
    description: Accepted so that defaults of the action group may name it; it has no effect here.
"""

EXAMPLES = r"""
- name: Refuse what nobody knows
  astraldraft.ops.assert_variables:
    prefixes: [ops_]
    also_known: [ops_reason, ops_operator]
"""

RETURN = r"""
known:
  description: The names that are known.
  returned: success
  type: list
  elements: str
"""
