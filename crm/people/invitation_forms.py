"""Inviting a colleague, and what he says of himself when he follows the link."""

from __future__ import annotations

from django import forms
from django.contrib.auth.password_validation import validate_password
from django.utils.translation import gettext_lazy as _

from crm.people.invitations import Invitation
from crm.people.models import Role, User


class InvitationForm(forms.ModelForm):
    roles = forms.ModelMultipleChoiceField(
        Role.objects.all(), label=_("Roles"), widget=forms.CheckboxSelectMultiple, required=True
    )

    class Meta:
        model = Invitation
        fields = ["email", "department", "language", "roles"]

    def validate_unique(self) -> None:
        """The service says it better."""


class AcceptanceForm(forms.ModelForm):
    """Name, login, password and language."""

    password = forms.CharField(
        label=_("Password"),
        strip=False,
        max_length=200,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=_("At least eight characters, not only digits."),
    )

    class Meta:
        model = User
        fields = ["first_name", "last_name", "username", "language"]
        help_texts = {"username": ""}
        labels = {"username": _("Login")}

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.order_fields(["first_name", "last_name", "username", "password", "language"])
        self.fields["first_name"].required = self.fields["last_name"].required = True
        self.fields["username"].widget.attrs["autocomplete"] = "username"

    def clean(self) -> dict:
        cleaned = super().clean()
        password = cleaned.get("password")
        if password:
            try:
                validate_password(password, self.instance)
            except forms.ValidationError as error:
                self.add_error("password", error)
        return cleaned

    def person(self) -> User:
        """The unsaved account."""
        user = self.save(commit=False)
        user.set_password(self.cleaned_data["password"])
        return user
