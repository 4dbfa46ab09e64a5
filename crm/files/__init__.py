"""Stored files: safe names, content checks, private download."""
