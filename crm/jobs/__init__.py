"""Durable jobs: the database is the truth, Celery only the doorbell."""
