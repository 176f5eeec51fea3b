"""Found by every Python that starts with this folder on PYTHONPATH: the collection's clock (`_time.utc_now`) is put ahead by
ASTRAL_TEST_CLOCK seconds. Nothing of the collection knows of it, and no other clock of the process is touched: what is signed and how long
is waited is as it is. (libfaketime would put all of them ahead, and a receiver refuse what is signed.)
"""

import datetime
import importlib.abc
import os
import sys

CLOCK = "ansible_collections.astraldraft.ops.plugins.module_utils._time"
AHEAD = datetime.timedelta(seconds=float(os.environ.get("ASTRAL_TEST_CLOCK") or 0))


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
                module.utc_now = lambda: true_now() + AHEAD

            spec.loader.exec_module = load_and_shift
        return spec


if AHEAD:
    sys.meta_path.insert(0, Ahead())
