"""What people and other programs call their columns, by the field that is meant.

Polish and English as people write them, and the headers in the exports of Bitrix24, EspoCRM, HubSpot, Odoo, Pipedrive,
Salesforce, Outlook, Google Contacts and Polish accounting programs. They are compared without case, accents and marks.
"""

from __future__ import annotations

_NAMES = {
    "company": """
        Nazwa firmy, Firma, Nazwa, Klient, Nazwa klienta, Kontrahent, Nazwa kontrahenta, Organizacja,
        Nazwa organizacji, Przedsiębiorstwo, Pełna nazwa, Nazwa pełna, Nazwa skrócona, Nabywca, Odbiorca, Podmiot,
        Instytucja, Pracodawca, Company name, Account, Account name, Organization, Organisation, Organization name,
        Organization 1 name, Business name, Business, Customer, Customer name, Client, Client name, Employer,
        Legal name, Trade name, Associated company, Primary company, Related company, Parent name
    """,
    "person": """
        Imię i nazwisko, Osoba kontaktowa, Osoba, Kontakt, Imię nazwisko, Osoba do kontaktu, Nazwa kontaktu,
        Nazwa wyświetlana, Przedstawiciel, Full name, Contact, Contact person, Contact name, Contact full name, Person,
        Person name, Name, Display name, Primary contact, Representative
    """,
    "person_turned": "Nazwisko i imię, Nazwisko imię, Last and first name, File as",
    "first_name": """
        Imię, Imię osoby kontaktowej, Imiona, Given name, Forename, First, Contact first name, Person first name
    """,
    "last_name": """
        Nazwisko, Nazwisko osoby kontaktowej, Surname, Family name, Last, Contact last name, Person last name
    """,
    "position": """
        Stanowisko, Funkcja, Rola, Tytuł zawodowy, Job title, Title, Role, Job position, Account title,
        Organization title, Organization 1 title, Occupation, Person job title
    """,
    "phone": """
        Telefon, Tel., Nr telefonu, Numer telefonu, Nr tel., Telefon kontaktowy, Telefon 1, Tel. 1, Telefon główny,
        Telefon firmowy, Telephone, Phone number, Phone 1, Phone 1 value, Primary phone, Main phone, Person phone,
        Company main phone, Company phone, Telephone number
    """,
    "phone_2": """
        Telefon 2, Tel. 2, Drugi telefon, Telefon dodatkowy, Inny telefon, Phone 2, Phone 2 value, Other phone,
        Second phone, Secondary phone, Alternative phone
    """,
    "phone_mobile": """
        Telefon kom., Tel. kom., Komórka, Kom., Telefon komórkowy, Tel. komórkowy, Numer komórkowy, Nr komórki,
        Tel. mobilny, Telefon mobilny, Mobile, Mobile phone, Mobile number, Mobile phone number, Cell, Cell phone,
        Cellphone, GSM, Phone mobile
    """,
    "phone_work": """
        Telefon służbowy, Tel. służbowy, Telefon do pracy, Telefon biurowy, Telefon stacjonarny, Tel. stac.,
        Tel. stacjonarny, Numer stacjonarny, Work phone, Business phone, Office phone, Landline, Phone work,
        Phone office, Business phone 2
    """,
    "phone_home": """
        Telefon domowy, Tel. domowy, Telefon prywatny, Tel. prywatny, Home phone, Private phone, Phone home
    """,
    "phone_fax": "Faks, Fax, Nr faksu, Numer faksu, Fax number, Business fax, Work fax, Phone fax",
    "email": """
        Email, Mail, Adres e-mail, Adres email, Poczta elektroniczna, Adres poczty elektronicznej, E-mail 1,
        E-mail główny, E-mail address, Email address, E-mail 1 value, E-mail 1 address, Primary email, Person email,
        Company email
    """,
    "email_2": """
        E-mail 2, Mail 2, Drugi e-mail, Inny e-mail, Dodatkowy e-mail, Second e-mail, Secondary email, Other email,
        Alternative email, E-mail 2 value, E-mail 2 address, E-mail 3 address, Additional email addresses
    """,
    "email_work": """
        E-mail służbowy, Służbowy e-mail, E-mail firmowy, E-mail do pracy, Work e-mail, Business email, Email work
    """,
    "email_home": """
        E-mail prywatny, Prywatny e-mail, E-mail domowy, Home email, Personal email, Private email, Email home
    """,
    "email_invoices": """
        E-mail do faktur, E-mail do e-faktur, E-mail księgowości, E-mail księgowość, Adres e-mail do faktur,
        Invoice email, Invoices email, Billing email, Accounting email, E-mail for invoices
    """,
    "tax_number": """
        NIP, Numer NIP, Nr NIP, NIP UE, VAT, VAT ID, VAT number, VAT no, VAT reg. no., Tax ID, Tax no,
        Tax identification number, EU VAT, Numer VAT, VATIN, USt-IdNr, DIČ, IČ DPH
    """,
    "registry_number": """
        KRS, Numer KRS, Nr KRS, Court register number, Registry number, Registration number, Company registry,
        Company registration number, Company number, Numer rejestrowy, HRB, IČO
    """,
    "statistical_number": "REGON, Numer REGON, Nr REGON, Statistical number",
    "accounts": """
        IBAN, Konto bankowe, Nr konta, Numer konta, Rachunek bankowy, Nr rachunku, Numer rachunku,
        Numer rachunku bankowego, Nr rachunku bankowego, Rachunek, Bank account, Bank account number, Account number,
        Bank accounts, IBAN number
    """,
    "country": """
        Kraj, Państwo, Country code, Kod kraju, Country region, Billing country, Billing address country,
        Business country region, Address country, Address 1 country, Mailing country, Kraj siedziby
    """,
    "website": """
        WWW, Strona, Strona www, Strona internetowa, Adres www, Witryna, Witryna internetowa, URL, Web, Homepage,
        Website URL, Web page, Web site, Corporate website, Company domain name, Domain, Website 1 value
    """,
    "city": """
        Miasto, Miejscowość, Siedziba, Town, Location, Billing city, Billing address city, Business city, Address city,
        Address 1 city, Mailing city, Miasto siedziby
    """,
    "address": """
        Adres, Ulica, Ulica i numer, Adres siedziby, Nr domu, Nr lokalu, Numer domu, Numer lokalu, Nr budynku,
        Street, Street 2, Street address, Address line 1, Address line 2, Billing street, Billing address street,
        Billing address, Business street, Address street, Address 1 street, Mailing street, Adres 1, Adres 2,
        Street and number, Registered address
    """,
    "postal_code": """
        Kod pocztowy, Kod, Postcode, Postal code, Zip, Zip code, Zip postal code, Billing zip postal code,
        Billing address postal code, Billing postal code, Business postal code, Address postal code,
        Address 1 postal code, Mailing zip postal code, PLZ
    """,
    "region": """
        Województwo, Region sprzedaży, State, Province, State province, State region, Billing state,
        Billing state province, Billing address state, Business state, Address state, Address 1 region
    """,
    "industry": "Branża, Sektor, Sector, Line of business, Industry type, Przemysł",
    "employee_count": """
        Liczba pracowników, Pracownicy, Zatrudnienie, Number of employees, Employees, Employee count, Headcount,
        Company size
    """,
    "categories": "Kategoria, Grupa, Grupa klientów, Grupa kontrahentów, Segment, Klasa, Category, Customer group",
    "tags": "Tagi, Tag, Etykieta, Etykiety, Znaczniki, Labels, Label, Keywords, Group membership",
    "source": """
        Źródło, Źródło leada, Źródło pozyskania, Pochodzenie, Skąd, Lead source, Origin, Original source, Channel,
        Source name
    """,
    "owner": """
        Opiekun, Opiekun klienta, Handlowiec, Właściciel, Odpowiedzialny, Osoba odpowiedzialna, Sprzedawca,
        Przedstawiciel handlowy, Przypisany, Assigned to, Assigned user, Sales rep, Salesperson, Sales person,
        Responsible, Responsible person, Account owner, Company owner, Contact owner, Lead owner, Deal owner,
        Record owner, Account manager
    """,
    "note": """
        Uwagi, Notatka, Notatki, Opis, Komentarz, Komentarze, Informacje, Informacje dodatkowe, Notes, Comment,
        Comments, Description, Remarks, Internal notes, Message
    """,
    "role": """
        Rola u kontrahenta, Rola w firmie, Rola, Rola kontaktu, Role, Contact role, Role at the company, Buying role
    """,
    "consent_email": """
        Zgoda e-mail, Zgoda na e-mail, Zgoda na mailing, Zgoda marketingowa e-mail, Zgoda na newsletter, Newsletter,
        Email consent, Email opt in, Marketing email consent, Consent email
    """,
    "consent_phone": """
        Zgoda telefon, Zgoda na telefon, Zgoda na kontakt telefoniczny, Phone consent, Phone opt in, Consent phone
    """,
    "consent_sms": "Zgoda SMS, Zgoda na SMS, SMS consent, SMS opt in, Consent SMS",
    "consent_post": "Zgoda poczta, Zgoda na pocztę tradycyjną, Post consent, Consent post",
    "opt_out_email": """
        Rezygnacja z e-maili, Nie wysyłać e-maili, Wypisany, Email opt out, Email opted out, Opted out of email,
        Email address is opted out, Unsubscribed, Unsubscribed from all email, Blacklist, Blacklisted
    """,
    "opt_out_phone": "Nie dzwonić, Do not call, Phone opt out, Phone number is opted out",
    "consent_date": "Data zgody, Zgoda z dnia, Consent date, Date of consent, Opt in date",
    "deal": """
        Nazwa, Porozumienie, Nazwa porozumienia, Szansa, Szansa sprzedaży, Transakcja, Temat, Nazwa szansy,
        Nazwa transakcji, Deal name, Deal title, Opportunity, Opportunity name, Subject
    """,
    "amount": """
        Kwota, Kwota sprzedaży, Wartość, Wartość netto, Wartość szansy, Cena, Value, Sum, Deal value, Deal amount,
        Expected revenue, Opportunity amount, Total
    """,
    "close_date": """
        Data zamknięcia, Termin, Planowane zamknięcie, Planowana data zamknięcia, Przewidywana data,
        Przewidywane zamknięcie, Expected close, Expected close date, Expected closing, Expected closing date,
        Closing date, Deal expected close date
    """,
    "stage": "Etap, Etap lejka, Faza, Pipeline stage, Sales stage, Deal stage",
}


def names(text: str) -> tuple[str, ...]:
    """Aliases written in a row, parted by commas."""
    return tuple(" ".join(name.split()) for name in text.split(",") if name.strip())


HEADERS = {key: names(text) for key, text in _NAMES.items()}
