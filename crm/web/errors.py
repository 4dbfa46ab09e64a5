"""The answers to requests that make no sense, or are too big to be read."""

from django.core.exceptions import RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent
from django.shortcuts import render

TOO_MUCH = (RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent)


def bad_request(request, exception=None):
    """400, or 413 when there was more in the request than we read."""
    status = 413 if isinstance(exception, TOO_MUCH) else 400
    return render(request, f"{status}.html", status=status)
