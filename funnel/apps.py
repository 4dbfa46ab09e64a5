from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class FunnelConfig(AppConfig):
    name = "funnel"
    label = "funnel"
    verbose_name = _("Sales funnels")
