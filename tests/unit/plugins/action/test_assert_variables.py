"""The action plugin assert_variables: what the roles declare is known, what begins like it and is not is refused."""

from __future__ import annotations

from unittest.mock import MagicMock

import pytest
from ansible.errors import AnsibleActionFail
from ansible.playbook.task import Task
from ansible_collections.astraldraft.ops.plugins.action import assert_variables as plugin

SPEC = """
argument_specs:
  main:
    options:
      release_version: {type: str}
      release_image: {type: str}
  list:
    options:
      release_limit: {type: int}
"""


@pytest.fixture
def roles(tmp_path, monkeypatch):
    for name, text in (("release", SPEC), ("traffic", "argument_specs: {main: {options: {traffic_port: {type: int}}}}")):
        folder = tmp_path / name / "meta"
        folder.mkdir(parents=True)
        (folder / "argument_specs.yml").write_text(text)
    (tmp_path / "undeclared").mkdir()
    monkeypatch.setattr(plugin, "ROLES", str(tmp_path))
    return tmp_path


def run(variables, **options):
    task = MagicMock(spec=Task, args=options, check_mode=False, async_val=0, action="assert_variables", delegate_to=None)
    action = plugin.ActionModule(task, MagicMock(), MagicMock(), MagicMock(), MagicMock(), MagicMock())
    return action.run(task_vars=variables)


def test_the_options_of_every_entry_point_are_known(roles):
    assert plugin.role_variables(str(roles)) == {
        "release": {"release_version", "release_image", "release_limit"},
        "traffic": {"traffic_port"},
    }


def test_the_collections_own_roles_are_found():
    assert {"release_version", "release_traffic_steps"} <= plugin.role_variables(plugin.ROLES)["release"]


@pytest.mark.usefixtures("roles")
def test_what_is_known_passes_and_so_does_what_is_none_of_its_business():
    found = run({"release_version": "v1", "traffic_port": 1, "awx_job_id": 3, "__release_plan": {}, "inventory_hostname": "a"})
    assert found == {"changed": False, "known": ["release_image", "release_limit", "release_version", "traffic_port"]}


@pytest.mark.usefixtures("roles")
def test_an_unknown_variable_is_refused_with_the_nearest_known_one():
    with pytest.raises(AnsibleActionFail, match=r"release_verison \(did you mean release_version\?\)\. Nothing was done"):
        run({"release_verison": "v1"})
    with pytest.raises(AnsibleActionFail, match=r"the variable traffic_zzzzzzzzzzzz\. Nothing was done"):
        run({"traffic_zzzzzzzzzzzz": "v1"})


@pytest.mark.usefixtures("roles")
def test_a_playbook_adds_prefixes_and_names():
    assert "ops_reason" in run({"ops_reason": "why"}, prefixes=["ops_"], also_known=["ops_reason"])["known"]
    with pytest.raises(AnsibleActionFail, match=r"ops_reasno \(did you mean ops_reason\?\)"):
        run({"ops_reasno": "why"}, prefixes=["ops_"], also_known=["ops_reason"])
    assert run({"ops_reasno": "why"})["changed"] is False


@pytest.mark.usefixtures("roles")
def test_words_that_ansible_took_from_a_value_are_refused():
    # What `-e "release_version=v1 in transaction"` comes to.
    with pytest.raises(AnsibleActionFail, match=r"no variable: in transaction\. A value with spaces needs quotes"):
        run({"release_version": "v1", "_raw_params": "in transaction"})


@pytest.mark.usefixtures("roles")
def test_without_variables_there_is_nothing_to_refuse():
    assert run(None)["changed"] is False
