"""The pages of the demo shop. They render facts; the lists on them are fetched from the API by the browser."""

import re
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import redirect, render
from django.utils.cache import patch_response_headers
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST, require_safe

from catalog.models import Product
from reemio.demo import shelves
from reemio.demo.personas import SHOPPERS
from reemio.demo.pictures import picture as draw
from reemio.demo.visitors import MOST_PIECES, Visitor, become

PAGE = 24
PICTURE_SECONDS = 7 * 24 * 3600
ORDER_ID = re.compile(r"[A-Za-z0-9-]{1,64}")


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """Show the front page: who is shopping, the departments, and the list for them."""
    return _page(request, "shop/home.html", {})


@require_safe
def category(request: HttpRequest, category: str) -> HttpResponse:
    """Show a category: what is below it, a list for the shopper, and its products, page by page."""
    categories = shelves.all_categories()
    sort = request.GET.get("sort", "")
    sort = sort if sort in shelves.SORTS else "featured"
    pages = Paginator(shelves.products_in(_storable(category), sort=sort), PAGE)
    if not pages.count:
        return _missing(request, "This department is empty, or has moved.")
    context = {
        "category": category,
        "trail": shelves.trail(category),
        "narrower": shelves.below(categories, category),
        "products": pages.get_page(request.GET.get("page")),
        "sort": sort,
    }
    return _page(request, "shop/category.html", context)


@require_safe
def search(request: HttpRequest) -> HttpResponse:
    """Show the results page; the browser asks the API for the results."""
    return _page(request, "shop/search.html", {"q": _storable(request.GET.get("q", "")).strip()[:200]})


@require_safe
def product(request: HttpRequest, product_id: str) -> HttpResponse:
    """Show a product's facts, and the places of its two lists."""
    found = _product(product_id)
    if found is None or not found.is_active:
        return _missing(request, "We could not find that product. It may have sold out for good.")
    context = {"product": found, "buyable": shelves.is_buyable(found), "trail": shelves.trail(found.category)}
    return _page(request, "shop/product.html", context)


@require_safe
def picture(request: HttpRequest, product_id: str) -> HttpResponse:
    """Draw a product's picture. It depends on the id, title and category only, so browsers may keep it."""
    found = _product(product_id)
    if found is None:
        return HttpResponse("No such product.", status=404, content_type="text/plain")
    response = HttpResponse(draw(found.product_id, found.title, found.category), content_type="image/svg+xml")
    patch_response_headers(response, PICTURE_SECONDS)
    return response


@require_safe
def cart(request: HttpRequest) -> HttpResponse:
    """Show the cart with its lines, total and list."""
    lines = shelves.cart_lines(Visitor.of(request).cart)
    context = {"lines": lines, "totals": shelves.totals(lines), "can_check_out": any(line.buyable for line in lines)}
    return _page(request, "shop/cart.html", context)


@require_POST
def change_cart(request: HttpRequest) -> HttpResponse:
    """Add to the cart or take out of it. Answers JSON to the page's script, and a redirect to a plain form."""
    visitor = Visitor.of(request)
    product_id = _storable(request.POST.get("product_id", ""))
    found = _product(product_id)
    before = visitor.cart
    if request.POST.get("action") == "remove":
        after, said = before.without(product_id), "Removed from your cart."
    elif found is None or not shelves.is_buyable(found):
        after, said = before, "Sorry, this product cannot be bought at the moment."
    else:
        after = before.with_more(product_id, _quantity(request))
        said = f"{found.title} is in your cart." if after != before else "Your cart cannot hold more of this."
    response: HttpResponse
    if request.headers.get("Accept", "").startswith("application/json"):
        response = JsonResponse({"changed": after != before, "pieces": after.pieces, "message": said})
    else:
        response = redirect("shop:cart")
    visitor.with_cart(after).remember(response)
    return response


@require_POST
def checkout(request: HttpRequest) -> HttpResponse:
    """Empty the cart after its purchase was posted. A demo shop takes no money and keeps no orders."""
    visitor = Visitor.of(request)
    order_id = request.POST.get("order_id", "")
    response = redirect("shop:thanks")
    if ORDER_ID.fullmatch(order_id):
        response["Location"] += "?" + urlencode({"order": order_id})
    left = visitor.cart
    for line in shelves.cart_lines(visitor.cart):
        left = left.without(line.product.product_id) if line.buyable else left
    visitor.with_cart(left).remember(response)
    return response


@require_safe
def thanks(request: HttpRequest) -> HttpResponse:
    """Confirm an order."""
    order_id = request.GET.get("order", "")
    return _page(request, "shop/thanks.html", {"order_id": order_id if ORDER_ID.fullmatch(order_id) else ""})


@require_POST
def choose_shopper(request: HttpRequest) -> HttpResponse:
    """Shop as one of the ten, or as nobody, from here on."""
    target = request.POST.get("next", "/")
    if not url_has_allowed_host_and_scheme(
        target, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    ):
        target = "/"
    response = HttpResponseRedirect(target)
    become(response, request.POST.get("user_id", ""))
    return response


def _page(request: HttpRequest, template: str, context: dict[str, Any], *, status: int = 200) -> HttpResponse:
    """Render a page with what every page shows, and remember the visitor."""
    visitor = Visitor.of(request)
    shared = {
        "visitor": visitor,
        "shoppers": SHOPPERS,
        "departments": shelves.departments(shelves.all_categories()),
        "shop_name": settings.REEMIO_SHOP_NAME,
        "shop_currency": settings.REEMIO_DEFAULT_CURRENCY,
    }
    response = render(request, template, shared | context, status=status)
    visitor.remember(response)
    # The page names the shopper: no shared cache may keep it, and Back shows the cart as it is.
    response["Cache-Control"] = "private, no-cache"
    return response


def _missing(request: HttpRequest, sentence: str) -> HttpResponse:
    return _page(request, "shop/missing.html", {"sentence": sentence}, status=404)


def _product(product_id: str) -> Product | None:
    return Product.objects.filter(product_id=_storable(product_id)).defer("search").first()


def _storable(text: str) -> str:
    """Drop what PostgreSQL cannot store: NUL and lone surrogates, which nothing in the catalogue holds."""
    return text.replace("\0", "").encode("utf-8", "ignore").decode("utf-8")


def _quantity(request: HttpRequest) -> int:
    text = request.POST.get("quantity", "1")
    return min(max(int(text), 1), MOST_PIECES) if text.isascii() and text.isdigit() and len(text) < 4 else 1
