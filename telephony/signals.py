"""Facts of telephony, sent inside the transaction that wrote them."""

from django.dispatch import Signal

# call: a call became known.
call_started = Signal()
# call: somebody speaks with the client.
call_answered = Signal()
# call: it is over, whatever came of it.
call_ended = Signal()
# call: a client called and nobody answered.
call_missed = Signal()
