"""Demo people: two sales departments under one board; everybody's password is `demo`."""

from crm.people.models import Department, User
from crm.people.roles import create_standard_roles
from crm.web.demo import Demo, demo_step

_PEOPLE = [
    # login, first name, last name, department, role, position
    ("rep", "Anna", "Zielińska", "north", "seller", "Sales manager"),
    ("teammate", "Piotr", "Wójcik", "north", "seller", "Sales manager"),
    ("head", "Katarzyna", "Lewandowska", "north", "head", "Head of sales, North"),
    ("outsider", "Tomasz", "Kamiński", "south", "seller", "Sales manager"),
    ("marketing", "Ewa", "Mazur", "marketing", "marketing", "Marketing specialist"),
    ("admin", "Adam", "Nowicki", "board", "administrator", "Administrator"),
]


@demo_step(10)
def load(demo: Demo) -> None:
    roles = create_standard_roles()
    board = Department.objects.create(name="Contentum", name_pl="Contentum")
    departments = {
        "board": board,
        "north": Department.objects.create(name="Sales North", name_pl="Sprzedaż Północ", parent=board),
        "south": Department.objects.create(name="Sales South", name_pl="Sprzedaż Południe", parent=board),
        "marketing": Department.objects.create(name="Marketing", name_pl="Marketing", parent=board),
    }
    for login, first_name, last_name, department, role, position in _PEOPLE:
        user = User(
            username=login,
            first_name=first_name,
            last_name=last_name,
            email=f"{login}@demo.example",
            department=departments[department],
            position=position,
            is_staff=role == "administrator",
            is_superuser=role == "administrator",
        )
        user.set_password("demo")
        user.save()
        user.roles.add(roles[role])
        demo.users[login] = user
    for department, head in (("north", "head"), ("board", "admin")):
        departments[department].head = demo.users[head]
        departments[department].save()
