"""`manage.py first_administrator`: makes an empty installation usable: roles, dictionaries, funnels, one administrator.

Reads CRM_ADMIN_LOGIN, CRM_ADMIN_EMAIL, CRM_ADMIN_PASSWORD and the company's values from the environment.
"""

import os

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.core.validators import validate_email
from django.db import transaction

from crm.money.services import create_standard_currencies
from crm.people.company import (
    company_language,
    company_of_environment,
    company_time_zone,
    forget_company,
)
from crm.people.models import Department, User
from crm.people.roles import create_standard_roles
from crm.web.standard import create_standard_data


class Command(BaseCommand):
    help = "Creates the first administrator from the environment; does nothing when somebody can already sign in."

    def handle(self, *args, **options):
        if User.objects.exists():
            return
        login = os.environ.get("CRM_ADMIN_LOGIN", "").strip()
        email = os.environ.get("CRM_ADMIN_EMAIL", "").strip()
        password = os.environ.get("CRM_ADMIN_PASSWORD", "")
        if not (login and email and password):
            raise CommandError("Set CRM_ADMIN_LOGIN, CRM_ADMIN_EMAIL and CRM_ADMIN_PASSWORD.")
        user = User(
            username=login,
            email=email,
            is_staff=True,
            is_superuser=True,
            language=company_language(),
            time_zone=company_time_zone(),
        )
        try:
            validate_email(email)
            User.username_validator(login)
            validate_password(password, user)
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
        self._create(user, password)
        self.stdout.write(f"Administrator {login} can sign in.")

    @transaction.atomic
    def _create(self, user: User, password: str) -> None:
        company = company_of_environment()
        company.save()
        forget_company()
        roles = create_standard_roles()
        create_standard_currencies()
        create_standard_data()
        user.department = Department.objects.create(name=company.name, name_pl=company.name)
        user.set_password(password)
        user.save()
        user.roles.add(roles["administrator"])
