from django.urls import path

from crm.web import company_page, dictionary_pages, installing, sight, starting, views

app_name = "web"

urlpatterns = [
    path("", views.home, name="home"),
    path("search/", views.search, name="search"),
    path("search/palette/", views.palette, name="palette"),
    path("profile/", views.profile, name="profile"),
    path("preference/", views.preference, name="preference"),
    path("card/<str:kind>/<int:pk>/next/", views.card_next, name="card_next"),
    path("card/<str:kind>/<int:pk>/shares/", sight.record_shares, name="record_shares"),
    path(
        "card/<str:kind>/<int:pk>/shares/withdrawal/",
        sight.record_share_withdrawal,
        name="record_share_withdrawal",
    ),
    path("card/<str:kind>/<int:pk>/access/", sight.record_access, name="record_access"),
    path("company/", company_page.company_settings, name="company_settings"),
    path("dictionaries/", dictionary_pages.dictionary_list, name="dictionary_list"),
    path("dictionaries/<slug:key>/", dictionary_pages.dictionary_detail, name="dictionary_detail"),
    path("dictionaries/<slug:key>/new/", dictionary_pages.entry_create, name="entry_create"),
    path("dictionaries/<slug:key>/order/", dictionary_pages.entry_order, name="entry_order"),
    path("dictionaries/<slug:key>/<int:pk>/", dictionary_pages.entry_update, name="entry_update"),
    path(
        "dictionaries/<slug:key>/<int:pk>/retirement/",
        dictionary_pages.entry_retirement,
        name="entry_retirement",
    ),
    path("access/", sight.access_overview, name="access_overview"),
    path("demo-removal/", starting.demo_removal, name="demo_removal"),
    path("shortcuts/", views.shortcuts, name="shortcuts"),
    path("manifest.webmanifest", installing.manifest, name="manifest"),
    path("sw.js", installing.service_worker, name="service_worker"),
    path("offline/", installing.offline, name="offline"),
    path("style/", views.style, name="style"),
]
