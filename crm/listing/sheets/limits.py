"""What a spreadsheet may cost us. Standard library only: the reading child imports this without Django."""

MEMORY_BYTES = 1_500_000_000
CPU_SECONDS = 90
UNPACKED_BYTES = 600_000_000
UNPACKED_RATIO = 250
UNPACKED_RATIO_FROM_BYTES = 40_000_000
ENTRIES = 5_000
ROWS = 200_000
COLUMNS = 500
CELL_CHARACTERS = 32_767
CSV_FIELD_CHARACTERS = 2_000_000

# Offered in the wizard, in this order. Detection is restricted to them.
ENCODINGS = (
    "utf-8",
    "cp1250",
    "iso8859-2",
    "utf-16",
    "cp1252",
    "cp1251",
    "koi8-r",
    "cp866",
)


class Refused(Exception):
    """The file cannot or must not be read; `code` is a key of `errors.MESSAGES`."""

    def __init__(self, code: str, **params: object) -> None:
        super().__init__(code)
        self.code = code
        self.params = params
