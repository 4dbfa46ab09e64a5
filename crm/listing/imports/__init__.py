"""Importing rows of a spreadsheet as records: staging, matching of columns, duplicates, writing in batches.

Knows no area: each registers an `Importer` (see `registry`) from its `AppConfig.ready()`.
"""
