"""Changing the kind of an attribute: what each value becomes, what would be lost, and asking for it."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import override

from crm.attributes.models import DECIDING, Attribute, AttributeKind
from crm.attributes.references import show_file, show_person
from crm.attributes.stored import holders_of
from crm.attributes.values import NO, YES, clean_value, python_value, show_value
from crm.jobs.models import Job
from crm.jobs.services import enqueue
from crm.people.folding import fold
from crm.people.models import User

JOB = "attributes.change_kind"
LOOKED_AT = 20_000
SAMPLES = 10


@dataclass
class Preview:
    """What a change of kind would do. `capped`: only the first LOOKED_AT values were looked at.

    `kept` and `lost` count values; the samples are (old text, new text) pairs and old texts.
    """

    kept: int = 0
    lost: int = 0
    capped: bool = False
    kept_samples: list[tuple[str, str]] = field(default_factory=list)
    lost_samples: list[str] = field(default_factory=list)


def retyped(
    attribute: Attribute, *, kind: str, choices: list | None = None, link_kind: str = ""
) -> Attribute:
    """An unsaved copy of the attribute in its new kind. Raises ValidationError for a kind that lacks something."""
    target = copy.copy(attribute)
    target.kind, target.choices, target.link_kind = kind, choices or [], link_kind
    target.default, target.is_converting = "", False
    target.clean()
    return target


def demand_no_dependents(attribute: Attribute, kind: str) -> None:
    """Raises ValidationError when other attributes are shown by its values and the new kind cannot decide that."""
    dependents = Attribute.objects.filter(
        attribute_set_id=attribute.attribute_set_id, shown_if_key=attribute.key, archived=False
    )
    if kind not in DECIDING and dependents.exists():
        raise ValidationError(
            {"kind": _("Other attributes are shown by its values; it has to stay a choice or a yes / no.")}
        )


def convert_value(source: Attribute, target: Attribute, value, *, by):
    """The JSON value in the new kind, None when it does not fit. Records are linked only if `by` sees them."""
    for spelling in _spellings(source, target, value):
        try:
            found = clean_value(target, spelling, by=by)
        except (ValidationError, TypeError):
            continue
        if found is not None:
            return found
    return None


def _spellings(source: Attribute, target: Attribute, value) -> list:
    """What the value may be called in the new kind, the best first."""
    old, new = source.kind, target.kind
    if AttributeKind.FILE in {old, new} and new != AttributeKind.TEXT:
        return [value] if old == new else []
    if old == AttributeKind.LINK:
        return [value] if new == AttributeKind.LINK and source.link_kind == target.link_kind else []
    if old == AttributeKind.FILE:
        return [show_file(value)]
    if old == AttributeKind.PERSON:
        return [value if new == AttributeKind.PERSON else show_person(value)]
    if new == AttributeKind.PERSON:
        return _people(value)
    if old == AttributeKind.CHOICES:
        return _from_several(source, new, value)
    texts = _texts(source, value)
    if new == AttributeKind.BOOL:
        return [fold(text) in YES for text in texts if fold(text) in YES | NO]
    if new == AttributeKind.MONEY:
        return [text for text in texts if _is_exact(text)]
    return texts


def _texts(source: Attribute, value) -> list[str]:
    if source.kind == AttributeKind.BOOL:
        return ["1", "yes", "tak"] if value else ["0", "no", "nie"]
    if source.kind == AttributeKind.CHOICE:
        labels = next((labels for labels in source.choices if labels[0] == value), [value, value, value])
        return [str(labels[1]), str(value), str(labels[2])]
    return [str(python_value(source, value))]


def _from_several(source: Attribute, new: str, value) -> list:
    items = value if isinstance(value, list) else [value]
    if new == AttributeKind.CHOICES:
        return [items]
    names = {key: label for key, label, _label_pl in source.choices}
    if new == AttributeKind.TEXT:
        return [", ".join(str(names.get(item, item)) for item in items)]
    return [names.get(items[0], items[0]), items[0]] if len(items) == 1 else []


def _people(value) -> list[int]:
    """The one active person of that login, address or name."""
    text = fold(value)
    people = User.objects.filter(is_active=True).only("pk", "username", "email", "first_name", "last_name")
    found = {one.pk for one in people if text in {fold(one.username), fold(one.email), fold(one)}}
    return list(found) if text and len(found) == 1 else []


def _is_exact(text: str) -> bool:
    """Whether the number has no more than two decimals: money would round the others away."""
    whole, _sign, rest = text.replace(",", ".").rpartition(".")
    return not whole or len(rest.rstrip("0")) <= 2 or not rest.isdigit()


def spelled(attribute: Attribute, value) -> str:
    """The old value as history keeps it."""
    with override("en"):
        return show_value(attribute, value)


def preview_change(*, attribute: Attribute, target: Attribute, by) -> Preview:
    """Looks at what is stored and changes nothing. Samples come only from records that `by` sees."""
    preview, holders = Preview(), holders_of(attribute)
    if holders is None:
        return preview
    rows = holders.values_list("pk", "attributes")[: LOOKED_AT + 1]
    samples: dict[str, list] = {"kept": [], "lost": []}
    for count, (pk, values) in enumerate(rows.iterator(chunk_size=1000)):
        if count == LOOKED_AT:
            preview.capped = True
            break
        old = values.get(attribute.key)
        new = convert_value(attribute, target, old, by=by)
        outcome = "lost" if new is None else "kept"
        setattr(preview, outcome, getattr(preview, outcome) + 1)
        if len(samples[outcome]) < SAMPLES * 3:
            samples[outcome].append((pk, old, new))
    _show_samples(preview, samples, attribute, target, by)
    return preview


def _show_samples(preview: Preview, samples: dict, attribute: Attribute, target: Attribute, by) -> None:
    model = holders_of(attribute).model
    pks = [pk for rows in samples.values() for pk, _old, _new in rows]
    visible = set(model.objects.visible_to(by).filter(pk__in=pks).values_list("pk", flat=True))
    preview.kept_samples = [
        (show_value(attribute, old), show_value(target, new))
        for pk, old, new in samples["kept"]
        if pk in visible
    ][:SAMPLES]
    preview.lost_samples = [show_value(attribute, old) for pk, old, _new in samples["lost"] if pk in visible][
        :SAMPLES
    ]


def proposed_choices(*, attribute: Attribute, by) -> list[list[str]]:
    """The texts that occur in what `by` sees of the values, as choices to begin with; at most fifty."""
    holders = holders_of(attribute)
    if holders is None or attribute.kind in {AttributeKind.LINK, AttributeKind.FILE, AttributeKind.PERSON}:
        return []
    found: dict[str, str] = {}
    seen = holders.filter(pk__in=holders.model.objects.visible_to(by).values("pk"))
    for values in seen.values_list("attributes", flat=True)[:LOOKED_AT].iterator(chunk_size=1000):
        text = spelled(attribute, values.get(attribute.key))[:80]
        found.setdefault(fold(text), text)
        if len(found) > 50:
            return []
    return [[text, text, text] for text in sorted(filter(None, found.values()))]


@transaction.atomic
def start_change(*, attribute: Attribute, target: Attribute, by) -> Job:
    """Takes the attribute out of use and lets a job rewrite the values, after which it is back in its new kind.

    Raises ValidationError when such a job is under way already.
    """
    if not Attribute.objects.filter(pk=attribute.pk, is_converting=False).update(is_converting=True):
        raise ValidationError(_("The kind of this attribute is being changed already."))
    attribute.is_converting = True
    args = {
        "attribute": attribute.pk,
        "kind": str(target.kind),
        "choices": target.choices,
        "link_kind": target.link_kind,
    }
    return enqueue(kind=JOB, key=f"attribute:{attribute.pk}", args=args, by=by)
