"""The Dagster UI as Crossdock serves it: Dagster's own webserver behind a guard."""
