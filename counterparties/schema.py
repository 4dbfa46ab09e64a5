"""Writing the attributes of a set from plain descriptions: for what an installation starts with."""

from crm.attributes.models import Attribute, AttributeSet


def create_attributes(schema: AttributeSet, descriptions: list[dict]) -> None:
    """One attribute per description (the model's fields by name), checked, in the order given."""
    for position, description in enumerate(descriptions, start=1):
        attribute = Attribute(attribute_set=schema, position=position * 10, **description)
        attribute.full_clean()
        attribute.save()
