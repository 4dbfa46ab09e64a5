"""Deals and their ledger, products and prices, and the rows that hang on a deal."""

from deals.models.moves import (
    PATIENCE,
    REQUIREMENTS,
    LedgerError,
    RequestStatus,
    StageRequest,
    StageTransition,
    TransitionCause,
)
from deals.models.payments import Payment, PaymentShare, PaymentStatus, PaymentTemplate
from deals.models.products import Price, PriceList, Product, TaxRate
from deals.models.quotes import QuoteTemplate
from deals.models.reasons import Competitor, LossReason, Outcome, OutcomeReason
from deals.models.records import (
    CLOSED_STATUSES,
    OPEN_STATUSES,
    Deal,
    DealContact,
    DealQuerySet,
    DealShare,
    DealStatus,
    DealType,
    StageWriteError,
)
from deals.models.rows import DealCompetitor, DealLine
from deals.models.settings import AmountBasis, DealSettings, NumberCounter

__all__ = [
    "CLOSED_STATUSES",
    "OPEN_STATUSES",
    "PATIENCE",
    "REQUIREMENTS",
    "AmountBasis",
    "Competitor",
    "Deal",
    "DealCompetitor",
    "DealContact",
    "DealLine",
    "DealQuerySet",
    "DealSettings",
    "DealShare",
    "DealStatus",
    "DealType",
    "LedgerError",
    "LossReason",
    "NumberCounter",
    "Outcome",
    "OutcomeReason",
    "Payment",
    "PaymentShare",
    "PaymentStatus",
    "PaymentTemplate",
    "Price",
    "PriceList",
    "Product",
    "QuoteTemplate",
    "RequestStatus",
    "StageRequest",
    "StageTransition",
    "StageWriteError",
    "TaxRate",
    "TransitionCause",
]
