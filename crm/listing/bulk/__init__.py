"""Bulk edits: one change for many chosen records, done by a job, record by record, and undone as a whole."""
