"""Whether 95 % intervals cover 95 %: abcx beside its peers on the same simulated samples (`python -m` runs it)."""

import os

for _threads in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_threads, "1")  # two processes on two cores: more threads only wait (read before numpy is)
