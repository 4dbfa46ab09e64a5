"""Facts of telephony, sent inside the transaction that wrote them. Each is sent once for a call."""

from django.dispatch import Signal

# call: a call became known.
call_started = Signal()
# call: somebody speaks with the client.
call_answered = Signal()
# call: it is over, whatever came of it.
call_ended = Signal()
# call: what is known of an ended call has changed, such as by an event that came late. May be sent again.
call_corrected = Signal()
# call: a client called and nobody answered.
call_missed = Signal()
