"""A module that listens to some of its options only."""

from ansible_collections.astraldraft.ops.plugins.module_utils._module import run

DOCUMENTATION = r"""
module: ignores_an_option
short_description: Does not listen
description:
  - Deliberately wrong.
options:
  heard:
    description: Is returned.
    type: str
    default: ""
  ignored:
    description: Is not looked at.
    type: str
    default: ""
  forgotten:
    description: Is not in the case.
    type: str
    default: ""
  things:
    description: Several.
    type: list
    elements: dict
    default: []
    suboptions:
      heard:
        description: Is returned.
        type: str
      ignored:
        description: Is not looked at.
        type: str
"""

RETURN = r"""
heard:
  description: What was heard.
  returned: always
  type: list
  elements: str
duration:
  description: Seconds.
  returned: always
  type: float
"""

TEXT = {"type": "str", "default": ""}
THING = {"heard": {"type": "str"}, "ignored": {"type": "str"}}
SPEC = {"heard": TEXT, "ignored": TEXT, "forgotten": TEXT, "things": {"type": "list", "elements": "dict", "default": [], "options": THING}}


def work(module, result):
    result["heard"] = [module.params["heard"]] + [thing["heard"] or "" for thing in module.params["things"]]


if __name__ == "__main__":
    run(work, SPEC, {"heard": []}, supports_check_mode=True)
