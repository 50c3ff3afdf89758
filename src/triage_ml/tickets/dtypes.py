"""Columns in the types that the ticket table promises, whatever they came in.

Strings are pandas' `str` dtype (pandas 3), or its forerunner in pandas 2: both hold NaN for missing. Times are
`datetime64[us, UTC]`, numbers `float64`, counts `Int64`.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

__all__ = ["COUNT", "NUMBER", "STRING", "TIME", "empty_strings", "to_strings"]

PANDAS_3 = int(pd.__version__.split(".")[0]) >= 3
STRING = pd.StringDtype(na_value=np.nan) if PANDAS_3 else pd.StringDtype("pyarrow_numpy")  # type: ignore[call-overload]
TIME = pd.DatetimeTZDtype("us", "UTC")
NUMBER = np.dtype("float64")
COUNT = pd.Int64Dtype()


def to_strings(values: pd.Series) -> pd.Series:
    """Strings without space around them; `3`, not `3.0`; missing where nothing is left.

    >>> to_strings(pd.Series([3.0, None, 4.0])).tolist()
    ['3', nan, '4']
    """
    if pd.api.types.is_float_dtype(values.dtype):
        present = values.dropna()
        if (present % 1 == 0).all() and (present.abs() < 2**53).all():
            values = values.astype("Int64")
    stripped = values.astype(STRING).str.strip()
    return stripped.mask(stripped == "")


def empty_strings(index: pd.Index) -> pd.Series:
    """A column of missing strings."""
    return pd.Series(np.nan, index=index, dtype=object).astype(STRING)
