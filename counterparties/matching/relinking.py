"""Moving everything that points at merged records to the one that stays, in a few statements for each table.

A foreign key to a record moves with it by itself. Where that would break a unique constraint, the row that is there
already wins; of a flag that only one row may carry, such as "primary contact", the survivor's wins. Every step is
written down so that `counterparties.matching.unmerging` can take it back.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from django.core import serializers
from django.db import models, router
from django.db.models import Q
from django.db.models.deletion import Collector

from counterparties.matching.models import Merge, MergeStep, StepKind
from counterparties.matching.registry import pointers
from crm.attributes.models import Attribute, AttributedRecord, AttributeKind, AttributeValue
from crm.people.access import kind_label
from crm.people.kinds import all_kinds


@dataclass(frozen=True)
class Relation:
    """The column of a table that holds the id of a record; `kind_column` where another one says of which kind."""

    model: type[models.Model]
    column: str
    kind_column: str = ""

    def rows(self, label: str) -> models.QuerySet:
        """Every row that names a record of the kind."""
        rows = self.model._base_manager.all()
        return rows.filter(**{self.kind_column: label}) if self.kind_column else rows

    @property
    def is_own(self) -> bool:
        """The table refers to itself."""
        return self.model._meta.get_field(self.column).related_model is self.model


def relations_of(model: type[models.Model]) -> list[Relation]:
    """Every column of the database that may name a record of `model`."""
    found = [
        Relation(link.related_model, link.field.attname)
        for link in model._meta.get_fields(include_hidden=True)
        if (link.one_to_many or link.one_to_one) and link.auto_created and not link.concrete
    ]
    found += [Relation(one.model, one.id_field, one.kind_field) for one in pointers()]
    return sorted(found, key=lambda relation: (relation.model._meta.label_lower, relation.column))


class Relinking:
    """One merge's journey through the tables."""

    def __init__(self, merge: Merge, model: type[models.Model], survivor: int, merged: list[int]) -> None:
        self.merge, self.model, self.survivor, self.merged = merge, model, survivor, merged
        self.label = kind_label(model)

    def move_all(self) -> None:
        for relation in relations_of(self.model):
            self._move(relation)
        self._move_links()

    def _move(self, relation: Relation) -> None:
        rows = relation.rows(self.label)
        pointing = rows.filter(**{f"{relation.column}__in": self.merged})
        if not relation.kind_column and relation.is_own:
            self._settle_own(relation, pointing)
            return
        for fields, condition in _unique_sets(relation):
            self._make_way(relation, rows, fields, condition)
        moved = list(pointing.values_list("pk", relation.column))
        if moved:
            pointing.update(**{relation.column: self.survivor})
            self._log(StepKind.MOVED, relation.model, relation.column, moved, self.survivor)

    def _settle_own(self, relation: Relation, pointing: models.QuerySet) -> None:
        """Parents, originals of duplicates: never oneself, never in a ring, and merged records keep their own."""
        own = pointing.filter(pk=self.survivor)
        cleared = list(own.values_list("pk", relation.column))
        own.update(**{relation.column: None})
        others = pointing.exclude(pk__in=[*self.merged, self.survivor])
        moved = list(others.values_list("pk", relation.column))
        others.update(**{relation.column: self.survivor})
        if not cleared and self._stands_in_a_ring(relation):
            mine = relation.model._base_manager.filter(pk=self.survivor)
            cleared = list(mine.values_list("pk", relation.column))
            mine.update(**{relation.column: None})
        if moved:
            self._log(StepKind.MOVED, relation.model, relation.column, moved, self.survivor)
        if cleared:
            self._log(StepKind.MOVED, relation.model, relation.column, cleared, None)

    def _stands_in_a_ring(self, relation: Relation) -> bool:
        at, seen = self.survivor, set()
        while at is not None and at not in seen:
            seen.add(at)
            rows = relation.model._base_manager.filter(pk=at)
            at = rows.values_list(relation.column, flat=True).first()
        return at == self.survivor

    def _make_way(self, relation: Relation, rows, fields: tuple[str, ...], condition: Q | None) -> None:
        flag = _flag_of(condition, relation.model)
        group = rows.filter(**{f"{relation.column}__in": [self.survivor, *self.merged]})
        if condition is not None:
            group = group.filter(condition)
        names = [name for name in fields if name not in (relation.column, relation.kind_column)]
        taken: set[tuple] = set()
        extra: list[int] = []
        order = {pk: place for place, pk in enumerate([self.survivor, *self.merged])}
        found = sorted(
            group.values_list(relation.column, "pk", *names), key=lambda row: (order[row[0]], row[1])
        )
        for _holder, pk, *values in found:
            key = tuple(values)
            if key in taken and None not in key:
                extra.append(pk)
            taken.add(key)
        if not extra:
            return
        surplus = relation.model._base_manager.filter(pk__in=extra)
        if flag:
            surplus.update(**{flag: False})
            self._log(StepKind.CLEARED, relation.model, flag, [[pk, True] for pk in extra])
            return
        self._remove(surplus)

    def _remove(self, rows: models.QuerySet) -> None:
        collector = Collector(using=router.db_for_write(rows.model), origin=rows)
        collector.collect(rows)
        for model, instances in collector.data.items():
            self._log(StepKind.REMOVED, model, "", serializers.serialize("python", instances))
        for along in collector.fast_deletes:
            if gone := serializers.serialize("python", along):
                self._log(StepKind.REMOVED, along.model, "", gone)
        rows.delete()

    def _move_links(self) -> None:
        """Attributes that link to a merged record, in the JSON that is their truth and in its derived rows."""
        former = {f"{self.label}/{pk}": pk for pk in self.merged}
        now = f"{self.label}/{self.survivor}"
        links = Attribute.objects.filter(kind=AttributeKind.LINK, link_kind=self.label)
        for attribute in links.select_related("attribute_set"):
            kind = next((one for one in all_kinds() if one.label == attribute.attribute_set.kind), None)
            if kind is None or not issubclass(kind.model, AttributedRecord):
                continue
            column = f"attributes__{attribute.key}"
            changed = []
            for record in kind.model._base_manager.filter(**{f"{column}__in": list(former)}):
                changed.append([record.pk, record.attributes[attribute.key]])
                record.attributes = {**record.attributes, attribute.key: now}
                kind.model._base_manager.filter(pk=record.pk).update(attributes=record.attributes)
            if changed:
                self._log(StepKind.MOVED, kind.model, column, changed, self.survivor)
                derived = AttributeValue.objects.filter(attribute=attribute, text__in=list(former))
                derived.update(text=now, number=self.survivor)

    def _log(self, kind: str, model: type[models.Model], column: str, rows: list, target=None) -> None:
        MergeStep.objects.create(
            merge=self.merge,
            kind=kind,
            model=model._meta.label_lower,
            column=column,
            rows=rows,
            target=target,
        )


def _unique_sets(relation: Relation) -> Iterator[tuple[tuple[str, ...], Q | None]]:
    """(columns, condition) of every unique constraint that the relation's column takes part in."""
    meta = relation.model._meta
    column = meta.get_field(relation.column).name
    for constraint in meta.constraints:
        if isinstance(constraint, models.UniqueConstraint) and column in constraint.fields:
            yield _columns(meta, constraint.fields), constraint.condition
    for fields in meta.unique_together:
        if column in fields:
            yield _columns(meta, fields), None
    if not relation.kind_column and meta.get_field(column).unique:
        yield (relation.column,), None


def _columns(meta, names) -> tuple[str, ...]:
    return tuple(meta.get_field(name).attname for name in names)


def _flag_of(condition: Q | None, model: type[models.Model]) -> str:
    """The yes / no column a constraint is about, such as `is_primary`; empty for any other constraint."""
    if condition is None or len(condition.children) != 1 or condition.negated:
        return ""
    name, value = condition.children[0] if isinstance(condition.children[0], tuple) else ("", None)
    if value is not True:
        return ""
    return name if isinstance(model._meta.get_field(name), models.BooleanField) else ""
