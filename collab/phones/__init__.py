"""Calendars of other makers: feeds that phones subscribe to, and files of single activities."""
