"""Measuring every main page on the present database: what it costs, and whether that is within its budget."""
