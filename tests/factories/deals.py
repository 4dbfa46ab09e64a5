"""Funnels, deal types and deals, made through the services."""

from crm.attributes.models import Attribute, AttributeSet
from deals.models import Deal, DealType, LossReason
from deals.services import create_deal
from funnel.models import Funnel, Stage
from tests.factories.counterparties import make_counterparty

STAGES = [
    ("qualification", "Qualification", "Kwalifikacja", "slate", 10),
    ("needs", "Needs", "Potrzeby", "blue", 25),
    ("proposal", "Proposal", "Oferta", "violet", 50),
    ("contract", "Contract", "Umowa", "amber", 80),
]


def make_funnel(key: str = "new", name: str = "New business") -> Funnel:
    """A funnel with the four stages of STAGES; any move is allowed."""
    funnel, is_new = Funnel.objects.get_or_create(key=key, defaults={"name": name})
    if is_new:
        for position, (stage_key, english, polish, colour, probability) in enumerate(STAGES):
            Stage.objects.create(
                funnel=funnel, key=stage_key, name=english, name_pl=polish, colour=colour,
                probability=probability, position=position, rot_days=14,
            )  # fmt: skip
    return funnel


def make_stage(key: str, funnel: Funnel | None = None) -> Stage:
    """The stage of that key in the funnel."""
    return Stage.objects.get(funnel=funnel or make_funnel(), key=key)


def make_deal_type(key: str = "sale", *, funnel: Funnel | None = None, is_default: bool = True) -> DealType:
    """A deal type with one filterable attribute, `source_note`."""
    found = DealType.objects.filter(key=key).first()
    if found is not None:
        return found
    attribute_set = AttributeSet.objects.create(name=f"Deal: {key}", kind="deals.deal")
    Attribute.objects.create(
        attribute_set=attribute_set, key="source_note", name="Source note", filterable=True
    )
    return DealType.objects.create(
        key=key,
        name=key.title(),
        funnel=funnel or make_funnel(),
        attribute_set=attribute_set,
        is_default=is_default,
    )


def make_loss_reason(name: str = "Too expensive") -> LossReason:
    return LossReason.objects.get_or_create(name=name, defaults={"name_pl": "Za drogo"})[0]


def make_deal(
    by, *, name: str = "Service contract", counterparty=None, deal_type: DealType | None = None, **values
) -> Deal:
    """A deal at the first stage, owned by `by`."""
    return create_deal(
        name=name,
        counterparty=counterparty or make_counterparty(by),
        deal_type=deal_type or make_deal_type(),
        by=by,
        **values,
    )
