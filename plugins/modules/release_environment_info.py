#!/usr/bin/python
# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: release_environment_info
short_description: Compare the environments of two releases, without their secrets
version_added: 0.1.0
description:
  - Each release has an environment of its own, kept in a file that is named after its checksum. This module says what differs between two
    of them, and what cannot be meant in the second one.
  - Values are returned without secrets. A secret is known by its name, such as C(..._PASSWORD) or C(..._KEY), as a password in a URL, or
    because it is in O(hidden).
author:
  - Astral Draft Platform Engineering (@astraldraft)
extends_documentation_fragment:
  - astraldraft.ops._operation
  - astraldraft.ops._operation.info
  - astraldraft.ops._operation.action_group
options:
  path:
    description: The folder of the environments.
    type: path
    required: true
  before:
    description: The checksum of the first environment. If it is not given, the second one is compared with an empty one.
    type: str
  after:
    description: The checksum of the second environment. If neither this nor O(content) is given, only the first one is looked at.
    type: str
  content:
    description: The text of the second environment, where it is not in O(path) yet.
    type: str
  required:
    description: The variables that the second environment must have, with a value.
    type: list
    elements: str
    default: []
  patterns:
    description: By name, the regular expression that the whole value of a variable of the second environment must match.
    type: dict
    default: {}
  hidden:
    description: The variables whose values are secrets though their names do not say so.
    type: list
    elements: str
    default: []
seealso:
  - module: astraldraft.ops.release_history_info
"""

EXAMPLES = r"""
- name: What would a rollback change of the configuration?
  astraldraft.ops.release_environment_info:
    path: /var/lib/astraldraft/astral-demo/environments
    before: "{{ plan.live_release.environment }}"
    after: "{{ plan.target.environment }}"
  register: compared
"""

RETURN = r"""
differences:
  description: What differs, by name.
  returned: always
  type: list
  elements: dict
  contains:
    name:
      description: The variable.
      type: str
    change:
      description: V(added), V(removed) or V(changed).
      type: str
    before:
      description: Its first value without secrets. V(null) where it has none.
      type: str
    after:
      description: Its second value without secrets. V(null) where it has none.
      type: str
told:
  description: The same in sentences.
  returned: always
  type: list
  elements: str
  sample: [LOG_LEVEL changes from info to debug]
problems:
  description: What is wrong with the second environment, in sentences.
  returned: always
  type: list
  elements: str
  sample: [DATABASE_URL is missing; it is required.]
missing:
  description: The checksums of those that are not in O(path).
  returned: always
  type: list
  elements: str
edited:
  description: The checksums of those that somebody has edited since they were written. Of old ones nobody can tell.
  returned: always
  type: list
  elements: str
duration:
  description: The time the module took, in seconds.
  returned: always
  type: float
"""

import os

from ansible_collections.astraldraft.ops.plugins.module_utils import _env_file, _environment
from ansible_collections.astraldraft.ops.plugins.module_utils._colours import ENVIRONMENT_VARIABLE
from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError
from ansible_collections.astraldraft.ops.plugins.module_utils._files import read_text
from ansible_collections.astraldraft.ops.plugins.module_utils._module import run

SPEC = {
    "path": {"type": "path", "required": True},
    "before": {"type": "str"},
    "after": {"type": "str"},
    "content": {"type": "str", "no_log": True},
    "required": {"type": "list", "elements": "str", "default": []},
    "patterns": {"type": "dict", "default": {}},
    "hidden": {"type": "list", "elements": "str", "default": []},
}
RESULT = {"differences": [], "told": [], "problems": [], "missing": [], "edited": []}


def stored(folder, checksum, result):
    """The variables (dict) of an environment that is kept; what is wrong with its file goes into ``result``."""
    if checksum is None:
        return {}
    text = read_text(os.path.join(folder, os.path.basename(checksum) + ".env"))
    if text is None:
        result["missing"].append(checksum)
        return {}
    if _env_file.edited(text):
        result["edited"].append(checksum)
    return variables_of(text)


def variables_of(text):
    """Without the mark that says which environment it is."""
    return {name: value for name, value in _env_file.parse(text).items() if name != ENVIRONMENT_VARIABLE}


def work(module, result):
    params = module.params
    result.update(missing=[], edited=[])
    before = stored(params["path"], params["before"], result)
    if params["content"] is None and params["after"] is None:
        return
    after = stored(params["path"], params["after"], result) if params["content"] is None else variables_of(params["content"])
    # What is not there cannot be compared: all would be new, or gone.
    if not result["missing"]:
        result["differences"] = _environment.compare(before, after, params["hidden"])
        result["told"] = [_environment.sentence(difference) for difference in result["differences"]]
    if params["after"] not in result["missing"]:
        try:
            result["problems"] = _environment.problems(after, params["required"], params["patterns"])
        except ValueError as error:
            raise OpsError(str(error) + " Mend it in the option patterns (release_environment_patterns).")


def main():
    run(work, SPEC, RESULT, supports_check_mode=True, mutually_exclusive=[("after", "content")])


if __name__ == "__main__":
    main()
