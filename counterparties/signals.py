"""Facts about counterparties and contacts; each is sent inside the transaction that made it true."""

from django.dispatch import Signal

counterparty_created = Signal()
"""A counterparty was created. Payload: counterparty, by."""

counterparty_changed = Signal()
"""Fields of a counterparty changed. Payload: counterparty, by, fields (list of names, attributes as `attr_key`)."""

counterparties_written = Signal()
"""An import created or changed many counterparties; no signal is sent for each. Payload: counterparties (list), by."""

contact_created = Signal()
"""A contact was created. Payload: contact, by, counterparty (None when it stands alone)."""

contact_changed = Signal()
"""Fields of a contact changed. Payload: contact, by, fields (list of names, attributes as `attr_key`)."""

contacts_written = Signal()
"""An import created or changed many contacts; no signal is sent for each. Payload: contacts (list), by."""

consent_recorded = Signal()
"""A contact agreed to a channel or refused it. Payload: consent, by."""
