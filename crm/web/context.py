"""What the base template needs on every page; nothing here asks the database."""

from django.conf import settings


def frame(request):
    user = getattr(request, "user", None)
    signed_in = bool(user and user.is_authenticated)
    return {
        "theme": user.theme if signed_in else request.COOKIES.get("theme", "auto"),
        "sidebar": "closed" if request.COOKIES.get("sidebar") == "closed" else "open",
        "company": settings.CRM_COMPANY,
        "demo": settings.DEMO,
    }
