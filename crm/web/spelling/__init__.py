"""How each language writes dates and numbers, where Django's own habit does not suit."""
