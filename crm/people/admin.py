"""Users, departments and roles in the administration."""

from django import forms
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin, TabularInline
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from crm.people.kinds import STANDARD_ACTIONS, all_kinds
from crm.people.models import Department, Role, RoleScope, User

admin.site.unregister(Group)


class RoleScopeForm(forms.ModelForm):
    """Offers the kinds and actions that the installed areas registered."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        kinds = all_kinds()
        named = [right for kind in kinds for right in kind.rights]
        self.fields["kind"] = forms.ChoiceField(
            label=_("kind of record"), choices=[(k.label, k.plural) for k in kinds]
        )
        actions = [(action, action) for action in STANDARD_ACTIONS] + list(dict(named).items())
        self.fields["action"] = forms.ChoiceField(label=_("action"), choices=actions)

    class Meta:
        model = RoleScope
        fields = ["kind", "action", "scope"]


class RoleScopeInline(TabularInline):
    model = RoleScope
    form = RoleScopeForm
    extra = 1


@admin.register(Role)
class RoleAdmin(ModelAdmin):
    list_display = ["name", "key"]
    inlines = [RoleScopeInline]


@admin.register(Department)
class DepartmentAdmin(ModelAdmin):
    list_display = ["name", "parent", "head"]
    autocomplete_fields = ["head"]
    search_fields = ["name", "name_pl"]


@admin.register(User)
class UserAdmin(DjangoUserAdmin, ModelAdmin):
    form, add_form, change_password_form = UserChangeForm, UserCreationForm, AdminPasswordChangeForm
    list_display = ["username", "first_name", "last_name", "department", "is_active"]
    list_filter = ["is_active", "department", "roles"]
    filter_horizontal = ["roles"]
    fieldsets = [
        (None, {"fields": ["username", "password"]}),
        (_("Person"), {"fields": ["first_name", "last_name", "email", "phone", "position"]}),
        (_("Place and rights"), {"fields": ["department", "roles", "is_active", "is_staff", "is_superuser"]}),
        (_("Interface"), {"fields": ["language", "time_zone", "theme"]}),
    ]
