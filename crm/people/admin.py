"""Users, departments and roles in the administration."""

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin, TabularInline
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from crm.people.company import company_language, company_time_zone
from crm.people.forms import FieldRuleForm, FieldRuleFormSet, RoleForm
from crm.people.models import Absence, CalendarDay, Department, FieldRule, Role, User

admin.site.unregister(Group)


class FieldRuleInline(TabularInline):
    model = FieldRule
    form = FieldRuleForm
    formset = FieldRuleFormSet
    extra = 0


@admin.register(Role)
class RoleAdmin(ModelAdmin):
    """The rights stand in a matrix that `templates/admin/people/role/change_form.html` draws."""

    form = RoleForm
    fields = ["name", "name_pl", "key"]
    list_display = ["name", "key", "holders"]
    inlines = [FieldRuleInline]

    class Media:
        css = {"all": ["css/role-matrix.css"]}
        js = ["js/role-matrix.js"]

    @admin.display(description=_("people"))
    def holders(self, role: Role) -> int:
        return role.users.filter(is_active=True).count()

    def save_related(self, request, form, formsets, change):
        super().save_related(request, form, formsets, change)
        form.save_scopes(form.instance)


@admin.register(CalendarDay)
class CalendarDayAdmin(ModelAdmin):
    """Days of the company's own; the country's public holidays are known already."""

    list_display = ["date", "name", "is_working"]
    list_filter = ["is_working"]


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

    def save_model(self, request, obj, form, change):
        """A new account begins in the company's language and zone."""
        if not change:
            obj.language, obj.time_zone = company_language(), company_time_zone()
        super().save_model(request, obj, form, change)


@admin.register(Absence)
class AbsenceAdmin(ModelAdmin):
    list_display = ["user", "first_day", "last_day", "substitute", "note"]
    list_filter = ["user"]
    autocomplete_fields = ["user", "substitute"]
