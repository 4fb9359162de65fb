"""Exact numbers in Polars: decimals travel as scaled whole numbers.

A column `x_e4` holds x times 10^4 as Int64. Polars keeps the scale of a decimal product and divides decimals into
decimals; whole numbers have no such habits. Sums of products are Int128, so that nothing overflows silently.
"""

from __future__ import annotations

from decimal import Decimal

import polars as pl

CELL_SCALE = 6
CELL_DECIMAL = pl.Decimal(38, CELL_SCALE)


def to_decimal(scaled: pl.Expr, exponent: int) -> pl.Expr:
    """A number scaled by 10^exponent as decimal(38,6); digits past the sixth round half away from zero."""
    if exponent <= CELL_SCALE:
        at_six = scaled.cast(pl.Int128) * 10 ** (CELL_SCALE - exponent)
    else:
        unit = 10 ** (exponent - CELL_SCALE)
        wide = scaled.cast(pl.Int128)
        at_six = wide.sign() * ((wide.abs() + unit // 2) // unit)
    return (at_six.cast(pl.Decimal(32, 0)) * pl.lit(Decimal("0.000001")).cast(pl.Decimal(7, 6))).cast(CELL_DECIMAL)


def quotient(numerator: pl.Expr, denominator: pl.Expr) -> pl.Expr:
    """Numerator by denominator as Float64; null when the denominator is zero (Polars would say inf or NaN)."""
    top, bottom = numerator.cast(pl.Float64), denominator.cast(pl.Float64)
    return pl.when(denominator != 0).then(top / bottom).otherwise(None)
