"""Pages of telephony, and the one address that providers post to."""
