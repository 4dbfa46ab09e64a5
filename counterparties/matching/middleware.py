"""The old address of a merged record leads to the one it was merged into, for whoever may see that one."""

from django.http import Http404, HttpResponseRedirect

from counterparties.matching.models import successor_of
from counterparties.matching.registry import mergeable_kinds
from crm.people.kinds import kind_named


class MergedRecordMiddleware:
    """Asks the database only where a card was not found."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        return self.get_response(request)

    def process_exception(self, request, exception):
        match = request.resolver_match
        if not isinstance(exception, Http404) or request.method not in {"GET", "HEAD"} or match is None:
            return None
        kinds = (kind_named(label) for label in mergeable_kinds())
        kind = next((one for one in kinds if one and one.detail_url == match.view_name), None)
        if kind is None or not request.user.is_authenticated:
            return None
        into = successor_of(kind.label, match.kwargs.get("pk"))
        if into is None or not kind.visible(request.user).filter(pk=into).exists():
            return None
        # Not for ever: the merge can be undone.
        return HttpResponseRedirect(kind.url(into))
