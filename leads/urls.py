from django.urls import path

from leads.views import business_cards, endings, leads, responses

app_name = "leads"
urlpatterns = [
    path("", leads.lead_list, name="lead_list"),
    path("new/", leads.lead_create, name="lead_create"),
    path("options/", leads.lead_options, name="lead_options"),
    path("duplicates/", leads.lead_duplicates, name="lead_duplicates"),
    path("business-cards/", business_cards.business_cards, name="business_cards"),
    path("business-cards/vcards/", business_cards.business_card_vcards, name="business_card_vcards"),
    path("<int:pk>/photo/", business_cards.lead_photo, name="lead_photo"),
    path("first-responses/", responses.lead_responses, name="lead_responses"),
    path("<int:pk>/", leads.lead_detail, name="lead_detail"),
    path("<int:pk>/edit/", leads.lead_update, name="lead_update"),
    path("<int:pk>/conversion/", endings.lead_conversion, name="lead_conversion"),
    path("<int:pk>/conversion/undo/", endings.lead_conversion_undo, name="lead_conversion_undo"),
    path("<int:pk>/closure/", endings.lead_closure, name="lead_closure"),
    path("<int:pk>/reopening/", endings.lead_reopening, name="lead_reopening"),
]
