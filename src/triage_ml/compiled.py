"""Loops over the bytes of many texts, compiled by numba.

What a ticket's vector is made of is counted byte by byte, which Python is too slow for and numpy does in a dozen passes.
A compiled function takes a few seconds at its first call on a machine and is kept on disk after that: beside this file, in
the user's cache, or where `NUMBA_CACHE_DIR` says. Where nothing can be written it is compiled anew by each process.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba
from numpy.typing import NDArray

__all__ = ["compiled", "readonly"]

Function = TypeVar("Function", bound=Callable[..., Any])
Array = TypeVar("Array", bound=NDArray[Any])


def compiled(function: Function) -> Function:
    """Compile at the first call, without Python's lock, so that threads run side by side."""
    try:
        made = numba.njit(cache=True, nogil=True)(function)
    except RuntimeError:  # no place on this machine where it could be kept
        made = numba.njit(nogil=True)(function)
    return cast("Function", made)


def readonly(array: Array) -> Array:
    """A view that can't be written to: fitted and memory-mapped arrays are then one type, and compiled for once."""
    view = array.view()
    view.flags.writeable = False
    return view
