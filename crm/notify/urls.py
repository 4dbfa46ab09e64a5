from django.urls import path

from crm.notify import views

app_name = "notify"
urlpatterns = [
    path("", views.notification_list, name="notification_list"),
    path("bell/", views.bell, name="bell"),
    path("choices/", views.choice_list, name="choice_list"),
    path("browsers/", views.browser_create, name="browser_create"),
    path("browsers/<int:pk>/removal/", views.browser_removal, name="browser_removal"),
    path("reading/", views.notification_reading_all, name="notification_reading_all"),
    path("<int:pk>/reading/", views.notification_reading, name="notification_reading"),
]
