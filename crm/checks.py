"""System checks of the settings: a value that makes no sense is named before anything starts."""

import re
from zoneinfo import available_timezones

from django.conf import settings
from django.core.checks import Error, Warning, register


@register()
def check_environment(app_configs, **kwargs) -> list:
    """Values of the environment that would fail later, in the middle of somebody's work."""
    found = []
    if settings.TIME_ZONE not in available_timezones():
        found.append(Error(f"CRM_TIME_ZONE={settings.TIME_ZONE} is not a known time zone.", id="crm.E001"))
    if not re.fullmatch(r"[A-Z]{3}", settings.CRM_CURRENCY):
        found.append(
            Error(f"CRM_CURRENCY={settings.CRM_CURRENCY} is not a currency code such as PLN.", id="crm.E002")
        )
    if not re.fullmatch(r"[A-Z]{2}", settings.CRM_COUNTRY):
        found.append(
            Error(f"CRM_COUNTRY={settings.CRM_COUNTRY} is not a country code such as PL.", id="crm.E003")
        )
    if not re.fullmatch(r"https?://[^/\s]+(/\S*)?", settings.CRM_URL):
        found.append(
            Error(f"CRM_URL={settings.CRM_URL} is not an address such as https://crm.example.", id="crm.E005")
        )
    if settings.DEMO and not set(settings.ALLOWED_HOSTS) <= {"127.0.0.1", "localhost", "[::1]", "testserver"}:
        found.append(
            Error("Demo users have a known password: demo mode answers on this machine only.", id="crm.E004")
        )
    return found


@register(deploy=True)
def check_deployment(app_configs, **kwargs) -> list:
    """What a company's installation should have."""
    if settings.DATABASES["default"]["ENGINE"].endswith("sqlite3"):
        return [Warning("SQLite carries about ten people; set DATABASE_URL for more.", id="crm.W001")]
    return []
