from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class WebConfig(AppConfig):
    name = "crm.web"
    label = "web"
    verbose_name = _("Pages")

    def ready(self):
        from crm.web.registry import MenuEntry, register_menu

        register_menu(MenuEntry("home", _("My day"), "sun", "web:home", 0, phone=True))
