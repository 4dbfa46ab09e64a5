"""Look into a packed workbook before a reader does: what it is, and what it unpacks to for real."""

import re
import zipfile
import zlib

from .limits import ENTRIES, UNPACKED_BYTES, UNPACKED_RATIO, UNPACKED_RATIO_FROM_BYTES, Refused

_CHUNK = 1 << 18
_OVERLAP = 64
_ENCRYPTED_FLAG = 0x1
_DECLARATION = re.compile(rb"<!\s*(?:DOCTYPE|ENTITY)", re.IGNORECASE)
_VALUELESS_FORMULA = re.compile(rb"</f>(?:<v></v>|<v ?/>|</c>)")
_PACKED = (zipfile.BadZipFile, zlib.error, NotImplementedError, EOFError, RuntimeError, OSError, ValueError)


def inspect_package(path: str, packed_bytes: int) -> tuple[str, int]:
    """Return (format, formulas without a saved result), or raise Refused.

    Sizes written in a zip directory may lie, so every entry is unpacked and counted, in small pieces.
    """
    try:
        with zipfile.ZipFile(path) as package:
            entries = package.infolist()
            if len(entries) > ENTRIES:
                raise Refused("too_many_parts")
            found = _format({entry.filename for entry in entries})
            return found, _unpack_all(package, entries, packed_bytes)
    except _PACKED as error:
        raise Refused("damaged") from error


def _format(names: set[str]) -> str:
    if "xl/workbook.xml" in names:
        return "xlsx"
    if "xl/workbook.bin" in names:
        return "xlsb"
    if "content.xml" in names and "mimetype" in names:
        return "ods"
    # Some writers name the workbook part otherwise; the package's own list of parts tells.
    if "[Content_Types].xml" in names and any(name.startswith("xl/") for name in names):
        return "xlsx"
    raise Refused("not_a_spreadsheet")


def _unpack_all(package: zipfile.ZipFile, entries: list[zipfile.ZipInfo], packed_bytes: int) -> int:
    unpacked = 0
    formulas = 0
    for entry in entries:
        if entry.flag_bits & _ENCRYPTED_FLAG:
            raise Refused("password")
        is_xml = entry.filename.endswith((".xml", ".rels", ".vml"))
        is_sheet = entry.filename.startswith("xl/worksheets/")
        tail = b""
        with package.open(entry) as part:
            while chunk := part.read(_CHUNK):
                unpacked += len(chunk)
                if _is_bomb(unpacked, packed_bytes):
                    raise Refused("bomb")
                window = tail + chunk
                if is_xml and _DECLARATION.search(window):
                    raise Refused("declarations")
                if is_sheet:
                    formulas += len(_VALUELESS_FORMULA.findall(window)) - len(
                        _VALUELESS_FORMULA.findall(tail)
                    )
                tail = window[-_OVERLAP:]
    return formulas


def _is_bomb(unpacked: int, packed: int) -> bool:
    if unpacked > UNPACKED_BYTES:
        return True
    return unpacked > UNPACKED_RATIO_FROM_BYTES and unpacked > packed * UNPACKED_RATIO
