"""The import wizard: upload, columns, preview, run, report. Everything is seen by its uploader only."""

from contextlib import suppress

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from crm.listing.import_forms import DecisionForm, MappingForm, ReadingForm, StartForm, UploadForm
from crm.listing.imports import report, services, undoing
from crm.listing.imports.columns import list_columns
from crm.listing.imports.registry import importer_for, importers_of
from crm.listing.models import Import, ImportRow
from crm.listing.pages import detail_context, mapping_context, preview_context, row_number, steps
from crm.listing.sheets.errors import SheetError
from crm.web.htmx import page, wants_fragment
from crm.web.htmx import redirect as send_to
from crm.web.toasts import toast
from crm.web.tokens import once

WORKBOOK = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
STEP_PAGES = {
    Import.Status.UPLOADED: "imports:import_mapping",
    Import.Status.PREVIEWED: "imports:import_preview",
}


def my_import(request, pk: int) -> Import:
    """The import with this number, if the reader uploaded it; else 404."""
    runs = Import.objects.visible_to(request.user).select_related("file", "job", "uploaded_by")
    return get_object_or_404(runs, pk=pk)


def _step_url(run: Import) -> str:
    return reverse(STEP_PAGES.get(run.status, "imports:import_detail"), args=[run.pk])


def _download(content: bytes, name: str) -> HttpResponse:
    response = HttpResponse(content, content_type=WORKBOOK)
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    response["Cache-Control"] = "no-store"
    return response


@require_GET
def import_list(request):
    runs = Import.objects.visible_to(request.user).select_related("file")[:100]
    offers = importers_of(request.user)
    if not offers:
        raise PermissionDenied
    labels = {importer.kind: importer.label for importer in offers}
    lines = [(run, labels.get(run.kind, run.kind)) for run in runs]
    return page(request, "listing/import_list.html", {"lines": lines, "offers": offers})


@require_http_methods(["GET", "POST"])
def import_create(request):
    kind = request.GET.get("kind", "")
    if not kind and importers_of(request.user):
        return redirect("imports:import_list")
    importer = services.demand_importer(kind, request.user)
    posted = (request.POST, request.FILES) if request.method == "POST" else ()
    form = UploadForm(*posted)
    if posted and form.is_valid():
        try:
            run = services.create_import(upload=form.cleaned_data["file"], kind=kind, by=request.user)
            return send_to(request, _step_url(run))
        except (SheetError, ValidationError) as error:
            form.add_error("file", getattr(error, "messages", None) or str(error))
    context = {"form": form, "importer": importer, "steps": steps("upload")}
    return page(
        request, "listing/import_create.html", context, partial="upload", status=422 if form.errors else 200
    )


@require_GET
def import_example(request):
    importer = services.demand_importer(request.GET.get("kind", ""), request.user)
    targets = importer.fields(request.user)
    rows = [[row.get(target.key, "") for target in targets] for row in importer.example]
    content = report.write_workbook([target.label for target in targets], rows)
    return _download(content, f"{importer.kind}-example.xlsx")


@require_GET
def import_detail(request, pk: int):
    """Progress while it works, then on to the next step; at the end the report."""
    run = my_import(request, pk)
    if run.status in STEP_PAGES or (wants_fragment(request) and not run.is_working):
        return send_to(request, _step_url(run))
    show = request.GET.get("show") or ("bad" if run.counts.get("bad") or run.counts.get("failed") else "all")
    context = detail_context(run, request.user, show=show, after=row_number(request))
    return page(request, "listing/import_detail.html", context)


@require_http_methods(["GET", "POST"])
def import_mapping(request, pk: int):
    run = my_import(request, pk)
    if run.status not in STEP_PAGES:
        return send_to(request, _step_url(run))
    columns = list_columns(services.head_rows(run), run.header_row)
    importer = importer_for(run.kind)
    data = request.POST if request.method == "POST" else None
    form = MappingForm(data, run=run, importer=importer, user=request.user, columns=columns)
    if data is not None and form.is_valid():
        return _check(request, run, form)
    context = mapping_context(run, importer, form, columns)
    status = 422 if form.errors else 200
    return page(request, "listing/import_mapping.html", context, partial="mapping", status=status)


def _check(request, run: Import, form: MappingForm):
    # A second click finds the check begun.
    with suppress(services.WrongStep):
        services.check_import(
            run=run,
            mapping=form.mapping(),
            options=form.options(),
            template=form.cleaned_data["template"],
            is_shared=form.cleaned_data["is_shared"],
            by=request.user,
        )
    return send_to(request, reverse("imports:import_detail", args=[run.pk]))


@require_POST
def import_reading(request, pk: int):
    """Another sheet, encoding or header row: the columns are found anew."""
    run = my_import(request, pk)
    form = ReadingForm(request.POST, run=run)
    if form.is_valid():
        try:
            services.read_again(run=run, by=request.user, **form.arguments())
        except SheetError as error:
            toast(request, str(error), level=messages.ERROR)
        except services.WrongStep:
            toast(request, _("The import is past this step."), level=messages.ERROR)
    else:
        toast(
            request,
            _("Nothing was changed: choose a sheet, an encoding and a row that exist."),
            level=messages.ERROR,
        )
    return redirect("imports:import_mapping", pk=run.pk)


@require_GET
def import_preview(request, pk: int):
    run = my_import(request, pk)
    if run.status != Import.Status.PREVIEWED:
        return send_to(request, _step_url(run))
    context = preview_context(
        run, request.user, show=request.GET.get("show", "all"), after=row_number(request)
    )
    return page(request, "listing/import_preview.html", context)


@require_POST
def import_run(request, pk: int):
    run = my_import(request, pk)
    form = StartForm(request.POST)
    mode = form.cleaned_data["mode"] if form.is_valid() else None
    # A second click finds it running, and the page shows how far it has got.
    with suppress(services.WrongStep):
        services.start_import(run=run, mode=mode, by=request.user)
    return redirect("imports:import_detail", pk=run.pk)


@require_POST
def import_cancellation(request, pk: int):
    run = my_import(request, pk)
    try:
        services.cancel_import(run=run, by=request.user)
        toast(request, _("The import was cancelled. Rows already written stay."))
    except services.WrongStep:
        toast(request, _("The import had already ended."), level=messages.WARNING)
    return redirect("imports:import_detail", pk=run.pk)


@require_POST
def import_decision(request, pk: int, number: int):
    run = my_import(request, pk)
    form = DecisionForm(request.POST)
    if not form.is_valid():
        raise Http404
    try:
        services.decide_row(run=run, number=number, decision=form.cleaned_data["decision"], by=request.user)
    except (ImportRow.DoesNotExist, services.WrongStep):
        raise Http404 from None
    if wants_fragment(request):
        return HttpResponse(status=204)
    return redirect("imports:import_preview", pk=run.pk)


@require_http_methods(["GET", "POST"])
@once
def import_undo(request, pk: int):
    """Shows what undoing the import would take back; a POST has it done by a job."""
    run = my_import(request, pk)
    if not undoing.can_undo(run, request.user):
        return send_to(request, reverse("imports:import_detail", args=[pk]))
    if request.method == "POST":
        undoing.start_undo(run=run, by=request.user)
        return send_to(request, reverse("imports:import_detail", args=[pk]))
    context = {"run": run, "plan": undoing.plan_undo(run, request.user)}
    return page(request, "listing/import_undo.html", context, partial="form")


@require_GET
def import_bad_rows(request, pk: int):
    run = my_import(request, pk)
    return _download(report.bad_rows_workbook(run, importer_for(run.kind)), f"import-{run.pk}-bad-rows.xlsx")
