"""Whether 95 % intervals cover 95 %: abcx beside its peers on the same simulated samples (`python -m` runs it)."""
