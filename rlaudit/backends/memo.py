"""What several runs need and only one should compute: an expert's data, the masks of a pruned agent.

A memo is named by what determines it, to the bit. It may be deleted at any time: whoever needs it makes it anew.
"""

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from rlaudit.durable import only_process, write_verified
from rlaudit.store.run_files import arrays_in, npz
from rlaudit.types import canonical_json

Arrays = dict[str, NDArray[Any]]


def remembered(folder: str, identity: Mapping[str, Any], make: Callable[[], Arrays]) -> Arrays:
    """The arrays that `make` gives for `identity`, made by one process while others wait; without a folder by each."""
    if not folder:
        return make()
    name = hashlib.sha256(canonical_json(identity).encode()).hexdigest()[:16]
    path = Path(folder) / f"{name}.npz"
    with only_process(path.with_suffix(".lock")):
        if not path.exists():
            write_verified([(path.with_suffix(".new"), npz(make()))])
            path.with_suffix(".new").replace(path)
        return arrays_in(path.read_bytes())
