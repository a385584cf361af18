"""`abcx` and `python -m abcx`."""

from __future__ import annotations

import gc
import os
import sys

for _threads in ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"):
    # Before numpy is loaded: linear algebra on several threads adds in another order, so last digits would differ.
    os.environ.setdefault(_threads, "1")
gc.set_threshold(50_000)  # importing makes thousands of objects that stay: looking for garbage among them costs 6%


def main(arguments: list[str] | None = None) -> int:
    """Run the command line and return its exit code: 0 done, 1 something blocks, 2 could not run, 3 a bug, 130
    interrupted."""
    try:
        from abcx import process
    except KeyboardInterrupt:
        return 130
    return process.run(arguments)


if __name__ == "__main__":
    sys.exit(main())
