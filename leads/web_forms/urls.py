from django.urls import path

from leads.web_forms import views

app_name = "web_forms"
urlpatterns = [path("<slug:key>/", views.form_page, name="form_page")]
