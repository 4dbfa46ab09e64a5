from django.urls import path

from crm.people.views import invitations

app_name = "people"
urlpatterns = [
    path("invitations/", invitations.invitation_list, name="invitation_list"),
    path("invitations/<int:pk>/sending/", invitations.invitation_sending, name="invitation_sending"),
    path("invitations/<int:pk>/revocation/", invitations.invitation_revocation, name="invitation_revocation"),
    path("welcome/<str:token>/", invitations.invitation_acceptance, name="invitation_acceptance"),
]
