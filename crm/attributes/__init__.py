"""Attributes an administrator defines for a kind of record."""
