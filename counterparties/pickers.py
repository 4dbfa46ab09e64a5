"""A field for one of many records; it stands in the ground, where attributes use it too."""

from crm.attributes.pickers import RecordChoiceField, RecordPicker

__all__ = ["RecordChoiceField", "RecordPicker"]
