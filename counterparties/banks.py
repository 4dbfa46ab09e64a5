"""Which bank a Polish account is kept by: the first four digits after the check digits are the bank's."""

POLISH_BANKS = {
    "1010": "Narodowy Bank Polski",
    "1020": "PKO Bank Polski",
    "1030": "Bank Handlowy",
    "1050": "ING Bank Śląski",
    "1060": "BNP Paribas",
    "1090": "Santander",
    "1130": "Bank Gospodarstwa Krajowego",
    "1140": "mBank",
    "1160": "Bank Millennium",
    "1240": "Bank Pekao",
    "1280": "HSBC",
    "1320": "Bank Pocztowy",
    "1540": "BOŚ",
    "1560": "VeloBank",
    "1580": "Mercedes-Benz Bank",
    "1600": "BNP Paribas",
    "1610": "SGB-Bank",
    "1670": "Nest Bank",
    "1680": "Plus Bank",
    "1840": "Société Générale",
    "1870": "Nest Bank",
    "1880": "Deutsche Bank",
    "1910": "Deutsche Bank",
    "1930": "Bank Polskiej Spółdzielczości",
    "1940": "Credit Agricole",
    "2030": "BNP Paribas",
    "2120": "Santander Consumer Bank",
    "2130": "Volkswagen Bank",
    "2160": "Toyota Bank",
    "2480": "VeloBank",
    "2490": "Alior Bank",
}


def bank_of(iban: str) -> str:
    """The bank's name for a compact IBAN; empty where it cannot be told."""
    return POLISH_BANKS.get(iban[4:8], "") if iban.startswith("PL") else ""
