"""Each request runs in the signed-in user's language and time zone, a visitor's in the company's zone."""

from zoneinfo import ZoneInfo

from django.utils import timezone, translation

from crm.people.company import company_time_zone


class PersonalSettingsMiddleware:
    """Activates the user's language and zone, and forbids caches to keep his pages."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        user = request.user
        if not user.is_authenticated:
            with timezone.override(ZoneInfo(company_time_zone())):
                return self.get_response(request)
        request.LANGUAGE_CODE = user.language
        with translation.override(user.language), timezone.override(ZoneInfo(user.time_zone)):
            response = self.get_response(request)
        response.headers.setdefault("Cache-Control", "no-store")
        response.headers["Content-Language"] = user.language
        return response
