"""Everything that touches another company's system: read it, land it, load it, write back to it.

Plain Python: nothing here imports Dagster or dbt, and nothing here knows a canonical model. `model.py` holds the
words, `landing/` the one transaction that makes a batch all or nothing, `load.py` the copy into the warehouse.
"""
