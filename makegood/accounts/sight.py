"""Pages that name a merchant by its address: everything behind them sees that merchant's rows only."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any
from zoneinfo import ZoneInfo

from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.utils import timezone

from makegood.accounts import queries
from makegood.kit import tenancy


def of_slug(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Give the view, after the request, the merchant that the address names; 404 for an unknown one.

    Times are shown in the merchant's zone.
    """

    @wraps(view)
    def see(request: HttpRequest, slug: str, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if tenancy.current_merchant_id() is not None and (merchant := queries.merchant_in_sight_called(slug)):
            with timezone.override(ZoneInfo(merchant.time_zone)):
                return view(request, merchant, *args, **kwargs)
        try:
            merchant_id = queries.merchant_id_by_slug(slug)
        except queries.MerchantUnknown:
            raise Http404 from None
        with tenancy.acting_for(merchant_id):
            merchant = queries.merchant()
            with timezone.override(ZoneInfo(merchant.time_zone)):
                return view(request, merchant, *args, **kwargs)

    return see
