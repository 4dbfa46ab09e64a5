"""What the base template needs on every page; only what is remembered, no record is read."""

from django.conf import settings

from crm.people.company import company


def frame(request):
    user = getattr(request, "user", None)
    signed_in = bool(user and user.is_authenticated)
    return {
        "theme": user.theme if signed_in else request.COOKIES.get("theme", "auto"),
        "sidebar": "closed" if request.COOKIES.get("sidebar") == "closed" else "open",
        "company": company().name,
        "demo": settings.DEMO,
    }
