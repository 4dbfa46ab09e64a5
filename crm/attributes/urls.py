from django.urls import path

from crm.attributes import views

app_name = "attributes"
urlpatterns = [path("records/", views.record_options, name="record_options")]
