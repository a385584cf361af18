"""The compiled special functions are those of the public import, and importing them leaves SciPy as it was."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
import scipy.special as public

from abcx.stats import special

RANDOM = np.random.Generator(np.random.PCG64(1))
POSITIVE, SHARES, ANY = RANDOM.uniform(0.1, 300, 400), RANDOM.uniform(1e-9, 1, 400), RANDOM.normal(0, 6, 400)
ARGUMENTS = {
    "betainc": (POSITIVE, POSITIVE[::-1], SHARES),
    "betaincc": (POSITIVE, POSITIVE[::-1], SHARES),
    "betaincinv": (POSITIVE, POSITIVE[::-1], SHARES),
    "chdtrc": (POSITIVE, POSITIVE[::-1]),
    "gammaln": (POSITIVE,),
    "log_ndtr": (ANY,),
    "nctdtr": (POSITIVE, ANY, ANY[::-1]),
    "ndtr": (ANY,),
    "ndtri": (SHARES,),
    "stdtr": (POSITIVE, ANY),
    "stdtrit": (POSITIVE, SHARES),
}


def test_every_function_is_compared() -> None:
    assert set(ARGUMENTS) == set(special.NAMES)


@pytest.mark.parametrize("name", special.NAMES)
def test_the_same_digits_as_the_public_import(name: str) -> None:
    np.testing.assert_array_equal(
        getattr(special, name)(*ARGUMENTS[name]), getattr(public, name)(*ARGUMENTS[name]), strict=True
    )


@pytest.mark.parametrize("branch", [-1, 0])
def test_lambert_w_has_the_same_digits(branch: int) -> None:
    for z in np.linspace(-1 / np.e + 1e-12, -1e-12, 50):
        assert special.lambertw(float(z), branch) == complex(public.lambertw(z, branch))


def _fresh(code: str) -> str:
    command = [sys.executable, "-c", code]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout.strip()


def test_only_the_compiled_module_is_loaded_and_scipy_works_after_it() -> None:
    code = (
        "import sys, abcx.stats.special as s; loaded = 'scipy.special' in sys.modules, 'numpy.f2py' in sys.modules\n"
        "import scipy.special as p, scipy.stats; print(loaded, p.ndtr is s.ndtr, p.expit(0.0), scipy.stats.norm.cdf(0))"
    )
    assert _fresh(code) == "(False, False) True 0.5 0.5"


def test_the_public_import_is_used_where_it_is_loaded_or_built_otherwise() -> None:
    assert _fresh("import scipy.special as p, abcx.stats.special as s; print(p.ndtr is s.ndtr)") == "True"
    otherwise = (
        "import importlib, sys; whole = importlib.import_module\n"
        "def without(name, package=None):\n"
        "    if name.endswith('._ufuncs'): raise ImportError(name)\n"
        "    return whole(name, package)\n"
        "importlib.import_module = without\n"
        "import abcx.stats.special as s; print(s._compiled, s.ndtr(0.0), s.lambertw(-0.1, -1))"
    )
    assert _fresh(otherwise) == f"None 0.5 {complex(public.lambertw(-0.1, -1))}"


def test_a_thread_that_imports_scipy_meanwhile_gets_all_of_it() -> None:
    code = (
        "import importlib, threading, time\n"
        "whole, seen = importlib.import_module, []\n"
        "def other():\n"
        "    from scipy.special import expit\n"
        "    seen.append(float(expit(0.0)))\n"
        "thread = threading.Thread(target=other)\n"
        "def slow(name, package=None):\n"
        "    if name.endswith('._ufuncs'):\n"
        "        thread.start(); time.sleep(0.3)\n"
        "        seen.append(thread.is_alive())\n"
        "    return whole(name, package)\n"
        "importlib.import_module = slow\n"
        "import abcx.stats.special; thread.join(30); print(seen)"
    )
    assert _fresh(code) == "[True, 0.5]"
