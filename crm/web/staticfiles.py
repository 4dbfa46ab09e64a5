"""How the browser's libraries and the icons get from npm to the page: an explicit list, published under `v/`."""

from collections.abc import Iterator
from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles.finders import BaseFinder
from django.core.files.storage import FileSystemStorage
from whitenoise.storage import CompressedManifestStaticFilesStorage

from crm.web import icons

NODE_MODULES = Path(settings.BASE_DIR) / "node_modules"

# Whole `dist` folders would bring thousands of files, and links between them that lead nowhere.
PUBLISHED = {
    "v/htmx.min.js": "htmx.org/dist/htmx.min.js",
    "v/tabler.min.css": "@tabler/core/dist/css/tabler.min.css",
    "v/tabler.min.js": "@tabler/core/dist/js/tabler.min.js",
    "v/Sortable.min.js": "sortablejs/Sortable.min.js",
    "v/tom-select.min.js": "tom-select/dist/js/tom-select.complete.min.js",
    "v/tom-select.min.css": "tom-select/dist/css/tom-select.bootstrap5.min.css",
    "v/fullcalendar.js": "fullcalendar/all/global.js",
    "v/fullcalendar.css": "fullcalendar/skeleton.css",
    "v/fullcalendar-classic.js": "fullcalendar/themes/classic/global.js",
    "v/fullcalendar-classic.css": "fullcalendar/themes/classic/theme.css",
    "v/fullcalendar-pl.js": "fullcalendar/locales/pl/global.js",
    "v/bpmn-viewer.min.js": "bpmn-js/dist/bpmn-navigated-viewer.production.min.js",
    "v/diagram-js.css": "bpmn-js/dist/assets/diagram-js.css",
    "v/bpmn-js.css": "bpmn-js/dist/assets/bpmn-js.css",
}


class NodeStorage(FileSystemStorage):
    """Reads a published file from where npm put it; the sheet of icons is made of many."""

    def path(self, name: str) -> str:
        return str(icons.sheet() if name == icons.SHEET else NODE_MODULES / PUBLISHED[name])


class NodeFinder(BaseFinder):
    """Finds the published files for collectstatic and the development server."""

    storage = NodeStorage()

    def check(self, **_kwargs) -> list:
        return []

    def find(self, path: str, find_all: bool = False, **_kwargs) -> str | list[str]:
        known = (path == icons.SHEET or path in PUBLISHED) and Path(self.storage.path(path)).is_file()
        if find_all:
            return [self.storage.path(path)] if known else []
        return self.storage.path(path) if known else []

    def list(self, ignore_patterns) -> Iterator[tuple[str, NodeStorage]]:
        for path in (*PUBLISHED, icons.SHEET):
            yield path, self.storage


class Storage(CompressedManifestStaticFilesStorage):
    """Hashed names for ever-lasting caching, once files are collected; plain names before (tests, development)."""

    manifest_strict = False
    # Links to source maps are left alone: the maps are not published.
    patterns = tuple(
        (glob, tuple(rule for rule in rules if "sourceMappingURL" not in str(rule)))
        for glob, rules in CompressedManifestStaticFilesStorage.patterns
        if glob == "*.css"
    )

    def stored_name(self, name: str) -> str:
        if not self.hashed_files:
            return name
        try:
            return super().stored_name(name)
        except ValueError:
            return name
