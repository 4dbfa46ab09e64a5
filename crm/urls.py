"""Every address of the product. The root includes areas by string, so that no area imports another's pages."""

from django.contrib import admin
from django.urls import include, path

handler400 = "crm.web.errors.bad_request"

urlpatterns = [
    path("", include("crm.web.urls")),
    path("accounts/", include("allauth.urls")),
    path("admin/", admin.site.urls),
    path("jobs/", include("crm.jobs.urls")),
    path("notifications/", include("crm.notify.urls")),
    path("people/", include("crm.people.urls")),
    path("files/", include("crm.files.urls")),
    path("attributes/", include("crm.attributes.urls")),
    path("rates/", include("crm.money.urls")),
    path("history/", include("crm.history.urls")),
    path("imports/", include("crm.listing.urls")),
    path("lists/", include("crm.listing.list_urls")),
    path("counterparties/", include("counterparties.urls")),
    path("duplicates/", include("counterparties.matching.urls")),
    path("leads/", include("leads.urls")),
    path("forms/", include("leads.web_forms.urls")),
    path("funnels/", include("funnel.urls")),
    path("deals/", include("deals.urls")),
    path("calendar/", include("collab.calendar.urls")),
    path("calendar/", include("collab.phones.urls")),
    path("", include("collab.phones.dav_urls")),
    path("guests/", include("collab.phones.guest_urls")),
    path("telephony/", include("telephony.urls")),
    path("processes/", include("bpm.urls")),
]
