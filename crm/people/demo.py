"""Demo people, everybody's password is `demo`: two sales departments, or at the large scale regions and their teams."""

from crm.people.folding import fold
from crm.people.models import Department, User
from crm.people.roles import create_standard_roles
from crm.web.demo import Demo, demo_step
from crm.web.scale.words import HOME, draw_person

_PEOPLE = [
    # login, first name, last name, department, role, position
    ("rep", "Anna", "Zielińska", "north", "seller", "Sales manager"),
    ("teammate", "Piotr", "Wójcik", "north", "seller", "Sales manager"),
    ("head", "Katarzyna", "Lewandowska", "north", "head", "Head of sales, North"),
    ("outsider", "Tomasz", "Kamiński", "south", "seller", "Sales manager"),
    ("marketing", "Ewa", "Mazur", "marketing", "marketing", "Marketing specialist"),
    ("admin", "Adam", "Nowicki", "board", "administrator", "Administrator"),
]


# Region, its name in Polish, its two teams by city.
_REGIONS = [
    ("North", "Północ", ["Gdańsk", "Szczecin"]),
    ("South", "Południe", ["Kraków", "Katowice"]),
    ("East", "Wschód", ["Lublin", "Białystok"]),
    ("West", "Zachód", ["Poznań", "Wrocław"]),
    ("Centre", "Centrum", ["Warszawa", "Łódź"]),
]
_TEAM_SIZE = 4


@demo_step(10, "small")
def load(demo: Demo) -> None:
    board = Department.objects.create(name="Contentum", name_pl="Contentum")
    departments = {
        "board": board,
        "north": Department.objects.create(name="Sales North", name_pl="Sprzedaż Północ", parent=board),
        "south": Department.objects.create(name="Sales South", name_pl="Sprzedaż Południe", parent=board),
        "marketing": Department.objects.create(name="Marketing", name_pl="Marketing", parent=board),
    }
    _add_known_people(demo, departments)
    for department, head in (("north", "head"), ("board", "admin")):
        _set_head(departments[department], demo.users[head])


@demo_step(10, "large")
def load_company(demo: Demo) -> None:
    """Fifty people. `rep` sees his team, a tenth of all; `head` a region, a fifth; the director of sales everything."""
    board = Department.objects.create(name="Contentum", name_pl="Contentum")
    sales = Department.objects.create(name="Sales", name_pl="Sprzedaż", parent=board)
    teams, regions = [], []
    for name, name_pl, cities in _REGIONS:
        region = Department.objects.create(name=f"Sales {name}", name_pl=f"Sprzedaż {name_pl}", parent=sales)
        regions.append(region)
        teams += [Department.objects.create(name=f"Sales {city}", parent=region) for city in cities]
    marketing = Department.objects.create(name="Marketing", name_pl="Marketing", parent=board)
    departments = {"board": board, "north": teams[0], "south": teams[2], "marketing": marketing}
    roles = _add_known_people(demo, departments)
    demo.users["head"].department = regions[0]
    demo.users["head"].save()
    _set_head(board, demo.users["admin"])
    _set_head(regions[0], demo.users["head"])
    _set_head(sales, _newcomer(demo, sales, roles["head"], "Director of sales"))
    for region in regions[1:]:
        _set_head(region, _newcomer(demo, region, roles["head"], f"Head of {region.name}"))
    demo.store["sellers"] = [person for team in teams for person in _team(demo, team, roles)]
    for position in ("Campaign manager", "Analyst"):
        _newcomer(demo, marketing, roles["marketing"], position)


def _team(demo: Demo, team: Department, roles: dict) -> list[User]:
    """Its people; the first of those who are new leads it, but `head` that of `rep`."""
    known = [
        demo.users[login] for login in ("rep", "teammate", "outsider") if demo.users[login].department == team
    ]
    people = known + [
        _newcomer(demo, team, roles["seller"], "Sales manager") for _place in range(_TEAM_SIZE - len(known))
    ]
    leader = demo.users["head"]
    if demo.users["rep"] not in known:
        leader = next(person for person in people if person not in known)
        leader.roles.set([roles["head"]])
    _set_head(team, leader)
    return people


def _newcomer(demo: Demo, department: Department, role, position: str) -> User:
    rng = demo.randomness(f"people {len(demo.users)}")
    first, last = draw_person(rng, HOME)
    login = f"{fold(first)}.{fold(last)}"
    if login in demo.users:
        login = f"{login}{len(demo.users)}"
    return _add_person(demo, login, first, last, department, role, position)


def _set_head(department: Department, head: User) -> None:
    department.head = head
    department.save()


def _add_known_people(demo: Demo, departments: dict[str, Department]) -> dict:
    """The people whose logins the start page tells; returns the standard roles."""
    roles = create_standard_roles()
    for login, first_name, last_name, department, role, position in _PEOPLE:
        _add_person(demo, login, first_name, last_name, departments[department], roles[role], position)
    return roles


def _add_person(
    demo: Demo, login: str, first: str, last: str, department: Department, role, position: str
) -> User:
    is_admin = role.key == "administrator"
    user = User(
        username=login, first_name=first, last_name=last, email=f"{login}@demo.example", department=department,
        position=position, is_staff=is_admin, is_superuser=is_admin,
    )  # fmt: skip
    if demo.users:
        user.password = next(iter(demo.users.values())).password  # hashing takes its time
    else:
        user.set_password("demo")
    user.save()
    user.roles.add(role)
    demo.users[login] = user
    return user
