"""The catalogue's types: what must be known about a KPI before it may be published.

A family file states measures and variants; a KPI is one measure in one variant, and the variant is part of its id,
because the same order gives anything from 0 to 94 % depending on it. Unknown keys, unknown words and missing fields
are errors (pydantic ValidationError).
"""

from __future__ import annotations

from datetime import date
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

Direction = Literal["higher", "lower", "neutral"]
Additivity = Literal["flow_ratio", "flow_amount", "percentile", "mean", "snapshot"]
Unit = Literal["ratio", "seconds", "currency", "lines"]
Dimension = Literal["site", "customer_category", "item_group"]


class Strict(BaseModel):
    """Base of all catalogue types: frozen, and an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Threshold(Strict):
    """From a day on, `good` or better is green, worse than `poor` is red; in the KPI's unit."""

    valid_from: date
    good: float
    poor: float


class Variant(Strict):
    """One way to count: `id` becomes the last part of the KPI's id, `words` fill {variant} in its texts."""

    id: str = Field(pattern=r"^[a-z0-9_]*$")
    name: str
    words: str
    has_bounds: bool = False
    timestamps: tuple[str, ...] = ()


class Measure(Strict):
    """What is counted, in words; every text may contain {variant}."""

    id: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    name: str
    meaning: str
    numerator: str
    denominator: str
    grain: str
    dimensions: tuple[Dimension, ...]
    unit: Unit
    direction: Direction
    additivity: Additivity
    bi_format: str
    thresholds: tuple[Threshold, ...] = ()
    exclusions: tuple[str, ...] = ()
    timestamps: tuple[str, ...] = ()
    variants: tuple[Variant, ...] = ()
    has_bounds: bool = False
    golden_cases: tuple[str, ...] = ()


class Family(Strict):
    """One file of the catalogue. Lists of a family and of its measures add up; variants of a measure replace."""

    family: str
    title: str
    order: int
    version: int
    owner: str
    steward: str
    period_key: str
    maturity: str
    bounds: str
    source_standard: str
    rules: tuple[str, ...]
    policy_keys: tuple[str, ...] = ()
    timestamps: tuple[str, ...] = ()
    exclusions: tuple[str, ...] = ()
    golden_cases: tuple[str, ...]
    dbt_model: str
    reference: str
    variants: tuple[Variant, ...] = ()
    measures: tuple[Measure, ...]


class Kpi(Strict):
    """One KPI, complete: what `dim_kpi`, the handbook and the checks are made from."""

    id: str
    family: str
    version: int
    name: str
    meaning: str
    numerator: str
    denominator: str
    grain: str
    period_key: str
    timestamps: tuple[str, ...]
    unit: Unit
    direction: Direction
    additivity: Additivity
    maturity: str
    bounds: str
    policy_keys: tuple[str, ...]
    exclusions: tuple[str, ...]
    dimensions: tuple[Dimension, ...]
    variant_ids: tuple[str, ...]
    has_bounds: bool
    owner: str
    steward: str
    thresholds: tuple[Threshold, ...]
    source_standard: str
    golden_cases: tuple[str, ...] = Field(min_length=1)
    dbt_model: str
    reference: str
    bi_format: str
    deprecated_on: date | None = None

    @model_validator(mode="after")
    def _thresholds_point_the_right_way(self) -> Kpi:
        for threshold in self.thresholds:
            if self.direction == "neutral":
                raise ValueError(f"{self.id}: a neutral KPI has no thresholds")
            if (threshold.good > threshold.poor) != (self.direction == "higher"):
                raise ValueError(
                    f"{self.id}: good {threshold.good} and poor {threshold.poor} contradict {self.direction}"
                )
        return self


def kpis_of(family: Family) -> tuple[Kpi, ...]:
    """Every measure of the family in every variant, in file order."""
    plain = Variant(id="", name="", words="")
    made: list[Kpi] = []
    for measure in family.measures:
        variants = measure.variants or family.variants or (plain,)
        ids = tuple(_id(measure, variant) for variant in variants)
        made.extend(_kpi(family, measure, variant, ids) for variant in variants)
    return tuple(made)


def _id(measure: Measure, variant: Variant) -> str:
    return f"{measure.id}_{variant.id}" if variant.id else measure.id


def _kpi(family: Family, measure: Measure, variant: Variant, ids: tuple[str, ...]) -> Kpi:
    def words(text: str) -> str:
        return text.replace("{variant}", variant.words)

    return Kpi(
        id=_id(measure, variant),
        family=family.family,
        version=family.version,
        name=f"{measure.name}, {variant.name}" if variant.name else measure.name,
        meaning=words(measure.meaning),
        numerator=words(measure.numerator),
        denominator=words(measure.denominator),
        grain=measure.grain,
        period_key=family.period_key,
        timestamps=(*family.timestamps, *measure.timestamps, *variant.timestamps),
        unit=measure.unit,
        direction=measure.direction,
        additivity="percentile" if variant.id in ("p50", "p90") else measure.additivity,
        maturity=family.maturity,
        bounds=family.bounds
        if (measure.has_bounds or variant.has_bounds)
        else "none: minimum, maximum and value are the same",
        policy_keys=family.policy_keys,
        exclusions=(*family.exclusions, *measure.exclusions),
        dimensions=measure.dimensions,
        variant_ids=ids,
        has_bounds=measure.has_bounds or variant.has_bounds,
        owner=family.owner,
        steward=family.steward,
        thresholds=measure.thresholds,
        source_standard=family.source_standard,
        golden_cases=(*family.golden_cases, *measure.golden_cases),
        dbt_model=family.dbt_model,
        reference=family.reference,
        bi_format=measure.bi_format,
    )
