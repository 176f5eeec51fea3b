"""Found by every Python that starts with this folder on PYTHONPATH; records only where the variable names a file."""

import os

if os.environ.get("ASTRAL_CONTRACT_TRACE") is not None:
    import contract_recorder

    contract_recorder.install(os.environ["ASTRAL_CONTRACT_TRACE"])
