from django.urls import path

from deals.views import board, calendar, cards, lines, lists, morning, moves, payments, products, quotes

app_name = "deals"
urlpatterns = [
    path("", lists.deal_list, name="deal_list"),
    path("calendar/", calendar.deal_calendar, name="deal_calendar"),
    path("board/", board.deal_board, name="deal_board"),
    path("board/changes/", board.deal_changes, name="deal_changes"),
    path("board/<int:pk>/column/", board.deal_column, name="deal_column"),
    path("morning/", morning.deal_morning, name="deal_morning"),
    path("of-counterparty/<int:pk>/", lists.counterparty_deals, name="counterparty_deals"),
    path("products/", products.product_list, name="product_list"),
    path("products/new/", products.product_create, name="product_create"),
    path("products/options/", products.product_options, name="product_options"),
    path("products/<int:pk>/", products.product_detail, name="product_detail"),
    path("products/<int:pk>/edit/", products.product_update, name="product_update"),
    path("lines/<int:pk>/", lines.line_update, name="line_update"),
    path("lines/<int:pk>/removal/", lines.line_delete, name="line_delete"),
    path("payments/<int:pk>/", payments.payment_update, name="payment_update"),
    path("payments/<int:pk>/receipt/", payments.payment_receipt, name="payment_receipt"),
    path("payments/<int:pk>/removal/", payments.payment_delete, name="payment_delete"),
    path("new/", cards.deal_create, name="deal_create"),
    path("<int:pk>/", cards.deal_detail, name="deal_detail"),
    path("<int:pk>/edit/", cards.deal_update, name="deal_update"),
    path("<int:pk>/files/", cards.deal_files, name="deal_files"),
    path("<int:pk>/lines/", lines.deal_lines, name="deal_lines"),
    path("<int:pk>/payments/", payments.deal_payments, name="deal_payments"),
    path("<int:pk>/payments/schedule/", payments.payment_schedule, name="payment_schedule"),
    path("<int:pk>/quote/", quotes.deal_quote, name="deal_quote"),
    path("<int:pk>/tile/", board.deal_tile, name="deal_tile"),
    path("<int:pk>/stage/", moves.deal_stage, name="deal_stage"),
    path("<int:pk>/closure/", moves.deal_closure, name="deal_closure"),
    path("<int:pk>/reopening/", moves.deal_reopening, name="deal_reopening"),
    path("<int:pk>/withdrawal/", moves.deal_withdrawal, name="deal_withdrawal"),
    path("<int:pk>/proof/", moves.deal_proof, name="deal_proof"),
    path("<int:pk>/override/", moves.deal_override, name="deal_override"),
]
