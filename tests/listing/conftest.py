import pytest

from crm.listing.imports import registry
from tests.factories.imports import allow_import, make_importer
from tests.factories.sheets import messy_workbook


@pytest.fixture
def departments(rep, teammate):
    """The importer of departments, which rep and teammate may use."""
    importer = make_importer()
    allow_import(rep, teammate)
    yield importer
    del registry._importers[importer.kind]


@pytest.fixture
def messy(tmp_path):
    return messy_workbook(tmp_path / "leady.xlsx")
