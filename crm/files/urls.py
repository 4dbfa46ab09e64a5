from django.urls import path

from crm.files import views

app_name = "files"
urlpatterns = [path("<int:pk>/", views.file_download, name="file_download")]
