"""Spreadsheets as people send them, and as attackers do."""

import zipfile
from pathlib import Path

from openpyxl import Workbook

HEADERS = ("Nazwa firmy", "Imię i nazwisko", "Telefon kom.", "E-mail", "NIP", "Miasto", "Uwagi")
SPREADSHEET = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"


def tax_number(seed: int) -> str:
    """A valid Polish NIP, a different one for each seed."""
    weights = (6, 5, 7, 2, 3, 4, 5, 6, 7)
    while True:
        digits = f"{100_000_000 + seed:09}"
        check = sum(int(digit) * weight for digit, weight in zip(digits, weights, strict=True)) % 11
        if check < 10:
            return f"{digits}{check}"
        seed += 100_000_007 // 3


def phone_in_notation(number: int, notation: int) -> str | float:
    """The same kind of number in four notations and as what spreadsheets make of it."""
    digits = f"22{1_000_000 + number:07}"
    return (
        f"{digits[:2]} {digits[2:5]} {digits[5:7]} {digits[7:]}",
        f"({digits[:2]}) {digits[2:5]}-{digits[5:7]}-{digits[7:]}",
        f"+48{digits}",
        f"0048 {digits}",
        float(f"48{digits}"),
    )[notation % 5]


def messy_rows() -> list[list]:
    """A title, Polish headers, then 5 sound rows, 3 duplicates of them, 2 bad ones, blank rows between."""
    return [
        ["Baza klientów – targi Poznań 2026"],
        [],
        list(HEADERS),
        [
            "Łódź Meble Sp. z o.o.",
            "Małgorzata Ćma",
            "22 123 45 67",
            "Biuro@meble.example",
            tax_number(1),
            "Łódź",
            "",
        ],
        [],
        ["Żubr S.A.", "Jan Kowalski", "(22) 765-43-21", "jan@zubr.example", "", "Białystok", "dzwonić po 15"],
        ["  Gęś i Ryś  s.c. ", "Zofia Ćwik", "0048 601 234 567", "", "", "Kraśnik", ""],
        ["Ósemka", "Ewa Śliwa", 48223334455.0, "ewa@osemka.example", tax_number(2), "Gdynia", ""],
        ["", "Paweł Źrebak", "+48 602-345-678", "pawel@zrebak.example", "", "", ""],
        ["Lodz Meble", "M. Ćma", 48221234567.0, "", "", "Łódź", "ten sam telefon"],
        ["ŻUBR SA Oddział", "", "", "JAN@zubr.example", "", "", "ten sam e-mail"],
        ["Ósemka 2", "", "", "", tax_number(2), "", "ten sam NIP"],
        ["Zły Adres", "Adam Błąd", "22 111 22 33", "adam(at)zly", "", "", ""],
        ["Zły Telefon", "Anna Błąd", "12", "anna@zly.example", "123-456-78-90", "", ""],
        [None, None, "  "],
    ]


def write_workbook(path: Path, rows: list[list], *, title: str = "Arkusz1") -> Path:
    workbook = Workbook()
    sheet = workbook.active
    sheet.title = title
    for row in rows:
        sheet.append(row)
    workbook.save(path)
    return path


def messy_workbook(path: Path) -> Path:
    return write_workbook(path, messy_rows())


def large_workbook(path: Path, rows: int, *, duplicates: bool = True) -> Path:
    """`rows` rows in five phone notations; every tenth repeats the phone of the row before it."""
    workbook = Workbook(write_only=True)
    sheet = workbook.create_sheet("Leady")
    sheet.append(["Eksport leadów"])
    sheet.append(HEADERS)
    for number in range(rows):
        phone = number - 1 if duplicates and number % 10 == 9 else number
        sheet.append(
            [
                f"Firma Łódzka {number} Sp. z o.o.",
                f"Jan Źródłowski {number}",
                phone_in_notation(phone, number),
                f"kontakt{number}@firma{number}.example",
                tax_number(number * 11),
                "Łódź",
                f"Wiersz {number}",
            ]
        )
    workbook.save(path)
    return path


def sparse_bomb(path: Path) -> Path:
    """Two cells at opposite corners: a few kilobytes that a naive reader makes terabytes of."""
    workbook = Workbook()
    workbook.active["A1"] = "Nazwa"
    workbook.active["XFD1048576"] = "x"
    workbook.save(path)
    return path


def zip_bomb(path: Path, megabytes: int = 700) -> Path:
    def sheet(part):
        part.write(f'<worksheet xmlns="{SPREADSHEET}"><sheetData>'.encode())
        for _megabyte in range(megabytes):
            part.write(b" " * 1_000_000)
        part.write(b"</sheetData></worksheet>")

    return _with_sheet(path, sheet)


def entity_bomb(path: Path) -> Path:
    entities = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 10))
    text = (
        f'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a0 "ha">{entities}]>'
        f'<worksheet xmlns="{SPREADSHEET}"><sheetData><row><c t="str"><v>&a9;</v></c></row></sheetData>'
        "</worksheet>"
    )
    return _with_sheet(path, lambda part: part.write(text.encode()))


def many_parts(path: Path, parts: int = 6000) -> Path:
    with zipfile.ZipFile(path, "w") as package:
        package.writestr("xl/workbook.xml", "<workbook/>")
        for number in range(parts):
            package.writestr(f"xl/part{number}.xml", "<x/>")
    return path


def _with_sheet(path: Path, write) -> Path:
    """A sound workbook whose only sheet is written by `write(part)`."""
    sound = write_workbook(path.with_suffix(".sound"), [["Nazwa"]])
    with zipfile.ZipFile(sound) as source, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as package:
        for name in source.namelist():
            with package.open(name, "w", force_zip64=True) as part:
                write(part) if name == "xl/worksheets/sheet1.xml" else part.write(source.read(name))
    return path


def encrypted_workbook(path: Path) -> Path:
    """A password-protected workbook as seen from outside: an OLE container with an encrypted package."""
    marks = "EncryptionInfo".encode("utf-16-le") + "EncryptedPackage".encode("utf-16-le")
    path.write_bytes(bytes.fromhex("d0cf11e0a1b11ae1") + bytes(504) + marks + bytes(512))
    return path
