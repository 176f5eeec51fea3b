"""Run the module alertmanager_silence so many times at the same moment: at_once.py ARGUMENTS NUMBER. Prints one result a line.

Tasks are started one after another and hardly ever meet; forks of one process that has everything loaded do.
"""

import json
import os
import sys
import time

from ansible.module_utils import basic

basic._ANSIBLE_ARGS = json.dumps({"ANSIBLE_MODULE_ARGS": json.loads(sys.argv[1])}).encode()
basic._ANSIBLE_PROFILE = "legacy"

from ansible_collections.astraldraft.ops.plugins.modules import alertmanager_silence  # noqa: E402

NUMBER = int(sys.argv[2])
BEGINS = time.time() + 0.5

for _one in range(NUMBER):
    if not os.fork():
        time.sleep(max(0.0, BEGINS - time.time()))
        alertmanager_silence.main()
for _one in range(NUMBER):
    os.wait()
