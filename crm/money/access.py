"""Who keeps the exchange rates."""


def may_change_rates(user) -> bool:
    """Whoever the administration lets change rates."""
    return user.is_active and user.is_staff and user.has_perm("money.change_rate")
