"""Notifications and live events."""
