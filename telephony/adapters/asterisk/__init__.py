"""Asterisk: a listener follows its manager interface; calls are started and ended there."""
