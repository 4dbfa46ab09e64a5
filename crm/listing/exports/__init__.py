"""Exports: the rows of a list as a workbook or as plain text, written by a job."""
