"""What it costs to start abcx: CPU time of whole commands as a ratio to `python -c pass`, measured in one run.

    python benchmarks/startup.py [RUNS]

In an environment of its own, without editable installs, which make a bare Python twice as dear. CPU time (user and
system, of the child process) varies less than wall time. Commands take turns, so that a busy moment of the machine
falls on all of them; the median of the runs is shown. Not a test: shared machines are too noisy.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from small import environment, line, start


def main() -> int:
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 7
    with tempfile.TemporaryDirectory() as folder:
        for one in start(environment(Path(folder)), Path(folder), runs):
            print(line(one))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
