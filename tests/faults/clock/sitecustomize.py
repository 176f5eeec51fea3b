"""Found by every Python that starts with this folder on PYTHONPATH: the collection's clock (`_time.utc_now`) is put ahead by
ASTRAL_TEST_CLOCK seconds. Nothing of the collection knows of it, and no other clock of the process is touched: what is signed and how long
is waited is as it is. (libfaketime would put all of them ahead, and a receiver refuse what is signed.)

ASTRAL_TEST_GATE is a folder with a FIFO `gate`: whoever asks for the time says there, by an empty file of its process id, that it has come
so far, and goes on when somebody opens the FIFO for writing. So processes that have started at different times act at the same one.
"""

import datetime
import importlib.abc
import os
import sys

CLOCK = "ansible_collections.astraldraft.ops.plugins.module_utils._time"
GATE = os.environ.get("ASTRAL_TEST_GATE")
AHEAD = datetime.timedelta(seconds=float(os.environ.get("ASTRAL_TEST_CLOCK") or 0))


def pass_gate():
    with open(os.path.join(GATE, str(os.getpid())), "w"):
        pass
    with open(os.path.join(GATE, "gate")):
        pass


class Ahead(importlib.abc.MetaPathFinder):
    """Whoever else finds the clock, it is put ahead once it is loaded."""

    def find_spec(self, name, path=None, target=None):
        if name != CLOCK:
            return None
        sys.meta_path.remove(self)
        spec = next((found for found in (finder.find_spec(name, path, target) for finder in sys.meta_path) if found), None)
        if spec:
            load = spec.loader.exec_module

            def load_and_shift(module):
                load(module)
                true_now = module.utc_now

                def shifted():
                    if GATE:
                        pass_gate()
                    return true_now() + AHEAD

                module.utc_now = shifted

            spec.loader.exec_module = load_and_shift
        return spec


if AHEAD or GATE:
    sys.meta_path.insert(0, Ahead())
