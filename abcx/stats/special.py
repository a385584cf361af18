"""The special functions of SciPy that statistics need, without the rest of `scipy.special`.

`import scipy.special` takes .15 s, of which the compiled functions take .02: its `__init__` loads array interfaces and
with them numpy's testing and Fortran tools. Here only the compiled module is loaded, behind an empty package that
stands in while it loads; a later `import scipy.special` gets the real one, with the same functions. Where SciPy is
built otherwise, the public import is used.
"""

from __future__ import annotations

import sys
import threading
from importlib import import_module
from importlib.util import find_spec, module_from_spec
from types import ModuleType
from typing import Any

_PACKAGE = "scipy.special"
NAMES = (
    "betainc",
    "betaincc",
    "betaincinv",
    "chdtrc",
    "gammaln",
    "log_ndtr",
    "nctdtr",
    "ndtr",
    "ndtri",
    "stdtr",
    "stdtrit",
)
"""The functions that have the same name in the compiled module."""


def compiled() -> ModuleType | None:
    """The compiled module of `scipy.special`, without its package; None where that is not possible."""
    if _PACKAGE in sys.modules:
        return sys.modules.get(f"{_PACKAGE}._ufuncs")
    spec = find_spec(_PACKAGE)
    if spec is None:
        return None
    package, loader, loaded = module_from_spec(spec), threading.get_ident(), threading.Event()

    def of_real_package(name: str) -> Any:
        """What another thread, which imports from the package meanwhile, gets."""
        if threading.get_ident() == loader:
            raise AttributeError(name)
        loaded.wait()
        return getattr(import_module(_PACKAGE), name)

    vars(package)["__getattr__"] = of_real_package
    sys.modules[_PACKAGE] = package
    try:
        module = import_module(f"{_PACKAGE}._ufuncs")
        return module if all(hasattr(module, name) for name in (*NAMES, "_lambertw")) else None
    except Exception:  # another build may fail in any way
        return None
    finally:
        sys.modules.pop(_PACKAGE, None)
        loaded.set()


_compiled = compiled()
_functions: Any = _compiled or import_module(_PACKAGE)

betainc = _functions.betainc
betaincc = _functions.betaincc
betaincinv = _functions.betaincinv
chdtrc = _functions.chdtrc
gammaln = _functions.gammaln
log_ndtr = _functions.log_ndtr
nctdtr = _functions.nctdtr
ndtr = _functions.ndtr
ndtri = _functions.ndtri
stdtr = _functions.stdtr
stdtrit = _functions.stdtrit


def lambertw(z: float, branch: int) -> complex:
    """Lambert's W of `z` on a branch: -1 is the lower real one, for -1/e <= z < 0."""
    if _compiled is None:
        return complex(_functions.lambertw(z, branch))
    return complex(_compiled._lambertw(z, branch, 1e-8))
