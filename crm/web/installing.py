"""What makes the product an app on a phone or a desktop: manifest, service worker, and the page without a network."""

import hashlib

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import JsonResponse
from django.shortcuts import render
from django.templatetags.static import static
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from crm.people.company import company

OFFLINE_FILES = (
    "v/tabler.min.css", "css/tokens.css", "css/frame.css", "css/components.css", "css/bare.css", "js/theme.js",
    "js/retry.js", "img/mark.svg",
)  # fmt: skip
ICONS = (("icon-192", 192, "any"), ("icon-512", 512, "any"), ("icon-mask-512", 512, "maskable"))
HOUR = 3600


@login_not_required
@require_safe
@cache_control(public=True, max_age=HOUR)
def manifest(request):
    """Names no record and no person: anybody may read it."""
    icons = [
        {"src": static(f"img/{name}.png"), "sizes": f"{size}x{size}", "type": "image/png", "purpose": purpose}
        for name, size, purpose in ICONS
    ]
    return JsonResponse(
        {
            "name": company().name,
            "short_name": company().name[:12],
            "description": _("Leads, deals and the day's work in one place."),
            "id": "/",
            "start_url": "/",
            "scope": "/",
            "display": "standalone",
            "lang": request.LANGUAGE_CODE,
            "background_color": "#f4f7f7",
            "theme_color": "#0b5563",
            "icons": icons,
        },
        content_type="application/manifest+json",
    )


@login_not_required
@require_safe
@cache_control(no_cache=True)
def service_worker(request):
    """Keeps the offline page and its files, never a page of anybody's; shows what is pushed."""
    files = [static(name) for name in OFFLINE_FILES]
    icon = static(f"img/{ICONS[0][0]}.png")
    version = hashlib.sha256("".join([*files, company().name]).encode()).hexdigest()[:12]
    context = {"version": version, "offline": reverse("web:offline"), "files": files, "icon": icon}
    return render(request, "web/sw.js", context, content_type="text/javascript")


@login_not_required
@require_safe
@cache_control(public=True, max_age=HOUR)
def offline(request):
    """Shown by the service worker; in both languages, for it is kept for whoever comes."""
    return render(request, "web/offline.html", {"languages": [code for code, _name in settings.LANGUAGES]})
