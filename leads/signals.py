"""What leads tell the areas above. Every signal is sent inside the transaction, with `send`: an error rolls back."""

from django.dispatch import Signal

lead_created = Signal()
"""A lead was created by hand, form or process. Payload: lead, by. Imports tell of their leads by `import_id` only."""

lead_changed = Signal()
"""Fields of a lead changed (not its status). Payload: lead, by, fields (list of names, attributes as `attr_key`)."""

lead_status_changed = Signal()
"""A lead has another status. Payload: lead, before (LeadStatus value), by."""

lead_converted = Signal()
"""A lead was qualified. Payload: lead, counterparty, contact (or None), deal (or None), by.

Receivers let their own rows on the lead stand on the new cards too.
"""

lead_conversion_undone = Signal()
"""A conversion was taken back. Payload: lead, by, counterparty, contact (or None), deal (or None): what it had become.

Receivers take their own rows on the lead off those cards again. What the conversion made goes into the bin afterwards.
"""
