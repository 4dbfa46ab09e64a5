"""Deals from spreadsheets."""
