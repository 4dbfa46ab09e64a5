"""People: the same company as the demo's."""

from datetime import date

from crm.money.services import create_standard_currencies
from crm.people import demo as people_demo
from crm.people.models import User
from crm.web.demo import Demo


def make_company() -> dict[str, User]:
    """Departments, roles and the six personas by login; currencies too."""
    demo = Demo(scale="small", today=date.today())
    people_demo.load(demo)
    create_standard_currencies()
    return demo.users


def make_user(login: str, *, department=None, roles=()) -> User:
    """A further user."""
    user = User.objects.create_user(
        login, email=f"{login}@demo.example", password="demo", department=department
    )
    user.roles.set(roles)
    return user
