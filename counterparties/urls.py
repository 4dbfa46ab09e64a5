from django.urls import path

from counterparties.views import consents, contacts, counterparties, groups, handovers, links, types, vcards

app_name = "counterparties"
urlpatterns = [
    path("", counterparties.counterparty_list, name="counterparty_list"),
    path("new/", counterparties.counterparty_create, name="counterparty_create"),
    path("options/", counterparties.counterparty_options, name="counterparty_options"),
    path("duplicates/", counterparties.counterparty_duplicates, name="counterparty_duplicates"),
    path("<int:pk>/", counterparties.counterparty_detail, name="counterparty_detail"),
    path("<int:pk>/edit/", counterparties.counterparty_update, name="counterparty_update"),
    path("<int:pk>/type/", types.counterparty_type, name="counterparty_type"),
    path("<int:pk>/contacts/", counterparties.counterparty_contacts, name="counterparty_contacts"),
    path("<int:pk>/group/", groups.counterparty_group, name="counterparty_group"),
    path("<int:pk>/links/", links.link_create, {"card": "counterparty"}, name="counterparty_link"),
    path("contacts/", contacts.contact_list, name="contact_list"),
    path("contacts/new/", contacts.contact_create, name="contact_create"),
    path("contacts/options/", contacts.contact_options, name="contact_options"),
    path("contacts/duplicates/", contacts.contact_duplicates, name="contact_duplicates"),
    path("vcards/", vcards.vcards, name="vcards"),
    path("contacts/upload/", vcards.contact_upload, name="contact_upload"),
    path("contacts/<int:pk>/vcard/", vcards.contact_vcard, name="contact_vcard"),
    path("contacts/<int:pk>/contact.vcf", vcards.contact_vcf, name="contact_vcf"),
    path("contacts/<int:pk>/qr.svg", vcards.contact_qr, name="contact_qr"),
    path("contacts/<int:pk>/", contacts.contact_detail, name="contact_detail"),
    path("contacts/<int:pk>/edit/", contacts.contact_update, name="contact_update"),
    path("contacts/<int:pk>/counterparties/", contacts.contact_counterparties, name="contact_counterparties"),
    path("contacts/<int:pk>/links/", links.link_create, {"card": "contact"}, name="contact_link"),
    path("contacts/<int:pk>/consents/", consents.contact_consent, name="contact_consent"),
    path("hand-overs/", handovers.handover_list, name="handover_list"),
    path("hand-overs/new/", handovers.handover_create, name="handover_create"),
    path("hand-overs/<int:pk>/", handovers.handover_detail, name="handover_detail"),
    path("hand-overs/<int:pk>/undo/", handovers.handover_undo, name="handover_undo"),
    path("links/<int:pk>/edit/", links.link_update, name="link_update"),
    path("links/<int:pk>/removal/", links.link_delete, name="link_delete"),
]
