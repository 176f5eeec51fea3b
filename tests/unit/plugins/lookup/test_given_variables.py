from __future__ import annotations

from ansible.parsing.vault import EncryptedString
from ansible_collections.astraldraft.ops.plugins.lookup import given_variables

VAULTED = EncryptedString(ciphertext="$ANSIBLE_VAULT;1.1;AES256\n6162")


def test_what_the_collection_knows_is_returned_as_it_was_given_and_without_secrets(monkeypatch):
    given = {
        "release_version": "{{ version }}",
        "release_environment": {"DB_PASSWORD": "hunter2", "LEVEL": "info", "OTHER": VAULTED, "list": [VAULTED, 1]},
        "journal_key": VAULTED,
        "ops_reason": "why",
        "ops_operator": "ada",
        "release_verison": "not ours",
        "awx_job_id": 7,
    }
    monkeypatch.setattr(given_variables, "load_extra_vars", lambda **_arguments: given)
    assert given_variables.LookupModule(loader=None, templar=None).run(["ops_reason"], variables={}) == [
        {
            "journal_key": "********",
            "ops_operator": "ada",
            "release_environment": {"DB_PASSWORD": "********", "LEVEL": "info", "OTHER": "********", "list": ["********", 1]},
            "release_version": "{{ version }}",
        }
    ]
