"""What each KPI means: catalogue, reference, golden cases, and the agreement of two programs. Imports no other part
of the house."""

from kpi_models.agreement import AgreementResult, agree, compare, store
from kpi_models.catalog import Kpi, load_catalog
from kpi_models.reference import evaluate

__all__ = ["AgreementResult", "Kpi", "agree", "compare", "evaluate", "load_catalog", "store"]
