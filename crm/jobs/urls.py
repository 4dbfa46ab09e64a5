from django.urls import path

from crm.jobs import views

app_name = "jobs"
urlpatterns = [
    path("<int:pk>/progress/", views.job_progress, name="job_progress"),
    path("<int:pk>/cancellation/", views.job_cancellation, name="job_cancellation"),
]
