"""A module that returns something else than it documents: how, its option says."""

from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError
from ansible_collections.astraldraft.ops.plugins.module_utils._module import run

DOCUMENTATION = r"""
module: returns_something_else
short_description: Returns what it does not document
description:
  - Deliberately wrong.
options:
  how:
    description: In which way.
    type: str
    default: right
"""

RETURN = r"""
count:
  description: A number.
  returned: always
  type: int
servers:
  description: A list.
  returned: always
  type: list
  elements: dict
  contains:
    address:
      description: An address.
      type: str
duration:
  description: Seconds.
  returned: always
  type: float
"""


def work(module, result):
    how = module.params["how"]
    result.update(count=1, servers=[{"address": "127.0.0.1"}], changed=how == "changed")
    if how == "one key more":
        result["secret"] = 1
    elif how == "one key less":
        del result["count"]
    elif how == "another type":
        result["count"] = "1"
    elif how == "another type inside":
        result["servers"] = [{"address": 1}]
    elif how == "one key more inside":
        result["servers"][0]["weight"] = 1
    elif how == "one key less inside":
        result["servers"] = [{}]
    elif how == "null":
        result["count"] = None
    elif how == "one key more on failure":
        raise OpsError("It failed.", evidence=1)
    elif how == "failed":
        raise OpsError("It failed.")


if __name__ == "__main__":
    run(work, {"how": {"type": "str", "default": "right"}}, {"count": 0, "servers": []}, supports_check_mode=True)
