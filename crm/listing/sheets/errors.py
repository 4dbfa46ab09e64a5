"""What we say about a spreadsheet that cannot be read."""

from django.utils.translation import gettext_lazy as _

MESSAGES = {
    "bomb": _("This file unpacks to far more than a spreadsheet would. It was not opened."),
    "cell_too_long": _(
        "Row %(row)s holds a cell longer than any spreadsheet allows. "
        "A missing closing quotation mark does that."
    ),
    "changed": _("The file is no longer what was uploaded. Upload it again."),
    "damaged": _("The file is damaged. Open it in your spreadsheet program and save it again."),
    "declarations": _("The file carries declarations that no spreadsheet program writes. It was not opened."),
    "empty": _("The file is empty."),
    "encoding": _("This encoding is not known here."),
    "markup": _(
        "This is a web page or XML file with a spreadsheet's name. "
        "Open it in your spreadsheet program and save it as .xlsx."
    ),
    "no_such_sheet": _("The workbook has no such sheet."),
    "not_a_spreadsheet": _("This is not a spreadsheet. Choose an .xlsx, .xls or .csv file."),
    "password": _("The workbook is protected with a password. Save a copy without it."),
    "too_large": _(
        "Reading this file would take more memory or time than allowed. Often a single stray cell far below "
        "or far to the right does that: copy the used cells into a new workbook."
    ),
    "too_many_columns": _("Row %(row)s has more than %(most)s columns."),
    "too_many_parts": _("The file holds too many parts for a spreadsheet. It was not opened."),
    "too_many_rows": _("The sheet has more than %(most)s rows. Split it into several files."),
}


class SheetError(Exception):
    """A spreadsheet was refused: `code` for programs, `message` (translated when shown) for people."""

    def __init__(self, code: str, **params: object) -> None:
        super().__init__(code)
        self.code = code if code in MESSAGES else "damaged"
        self.params = params

    @property
    def message(self) -> str:
        return str(MESSAGES[self.code]) % self.params

    def __str__(self) -> str:
        return self.message
