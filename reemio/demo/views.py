"""The pages of the demo shop. They render facts; the lists on them are fetched from the API by `reemio.js`."""

from decimal import Decimal, InvalidOperation
from typing import Any

from django.conf import settings
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import redirect, render
from django.utils.cache import patch_response_headers
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from catalog.models import Product
from recommendations.contracts import Filters
from reemio.demo import account as accounts
from reemio.demo import lists, orders, shelves
from reemio.demo.keys import shop_key
from reemio.demo.personas import SHOPPERS
from reemio.demo.pictures import department_icon
from reemio.demo.pictures import picture as draw
from reemio.demo.plain import is_plain, note, remember_plain
from reemio.demo.visitors import BY_USER_ID, MOST_PIECES, Visitor, become
from reemio.people.services import erase_person, export_person

PAGE = 24
PICTURE_SECONDS = 7 * 24 * 3600
TRACKER = "reemio/reemio-1.0.0.js"
DEAREST = Decimal(99_999)


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
    q = _storable(request.GET.get("q", "")).strip()[:200]
    filters = Filters(
        _storable(request.GET.get("category", ""))[:500],
        _price(request.GET.get("min_price", "")),
        _price(request.GET.get("max_price", "")),
    )
    context: dict[str, Any] = {"q": q, "filters": filters}
    if q and is_plain(request):
        visitor = Visitor.of(request)
        context["found"] = lists.find(visitor, q, filters)
        told = {"filters": {"category": filters.category}, "resultsCount": context["found"]["total"]}
        note(visitor, [{"interaction_type": "search", "search_query": q, "extra_data": told}])
    return _page(request, "shop/search.html", context)


@require_safe
def product(request: HttpRequest, product_id: str) -> HttpResponse:
    """Show a product's facts, and the places of its two lists."""
    found = _product(product_id)
    if found is None or not found.is_active:
        return _missing(request, "We could not find that product. It may have sold out for good.")
    if is_plain(request):
        seen = {"interaction_type": "view", "product_id": found.product_id}
        note(Visitor.of(request), [seen])
    context = {"product": found, "buyable": shelves.is_buyable(found), "trail": shelves.trail(found.category)}
    return _page(request, "shop/product.html", context)


@require_safe
@gzip_page
def picture(request: HttpRequest, product_id: str) -> HttpResponse:
    """Draw a product's picture. It depends on the id, title and category only, so browsers may keep it."""
    found = _product(product_id)
    if found is None:
        return HttpResponse("No such product.", status=404, content_type="text/plain")
    response = HttpResponse(draw(found.product_id, found.title, found.category), content_type="image/svg+xml")
    patch_response_headers(response, PICTURE_SECONDS)
    return response


@require_safe
@gzip_page
def department_picture(request: HttpRequest, category: str) -> HttpResponse:
    """Draw the sign of a department."""
    response = HttpResponse(department_icon(category), content_type="image/svg+xml")
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
    if after != before and is_plain(request):
        _note_change(request, visitor, found, removed=after.pieces < before.pieces)
    response: HttpResponse
    if request.headers.get("Accept", "").startswith("application/json"):
        response = JsonResponse({"changed": after != before, "pieces": after.pieces, "message": said})
    else:
        response = redirect("shop:cart")
    visitor.with_cart(after).remember(response)
    return response


@require_http_methods(["GET", "HEAD", "POST"])
def checkout(request: HttpRequest) -> HttpResponse:
    """Show the checkout, or place the order. A demo shop takes no money; the thank-you page tells Reemio of it."""
    visitor = Visitor.of(request)
    lines = [line for line in shelves.cart_lines(visitor.cart) if line.buyable]
    if not lines:
        return redirect("shop:thanks" if request.method == "POST" else "shop:cart")
    if request.method != "POST":
        return _page(request, "shop/checkout.html", {"lines": lines, "totals": shelves.totals(lines)})
    order = orders.place(lines)
    if is_plain(request):
        note(visitor, order.events)
    response = redirect("shop:thanks")
    orders.keep(order, response)
    left = visitor.cart
    for line in lines:
        left = left.without(line.product.product_id)
    visitor.with_cart(left).remember(response)
    return response


@require_safe
def thanks(request: HttpRequest) -> HttpResponse:
    """Confirm the order that was placed last."""
    return _page(request, "shop/thanks.html", {"order": orders.last(request)})


@require_safe
def account(request: HttpRequest) -> HttpResponse:
    """Show what Reemio knows about the visitor."""
    visitor = Visitor.of(request)
    erased = BY_USER_ID.get(request.GET.get("erased", ""))
    context = {
        "person": accounts.known(visitor),
        "latest": accounts.latest_events(visitor),
        "erased": erased.name if erased else "",
    }
    return _page(request, "shop/account.html", context)


@require_safe
def export(request: HttpRequest) -> HttpResponse:
    """Hand out all that is held on the chosen shopper, as a file."""
    user_id = Visitor.of(request).user_id
    held = export_person(user_id) if user_id else None
    if held is None:
        return _missing(request, "There is nothing to download: nobody is known by that name.")
    response = JsonResponse(held, json_dumps_params={"indent": 2})
    response["Content-Disposition"] = f'attachment; filename="{user_id}.json"'
    response["Cache-Control"] = "private, no-store"
    return response


@require_POST
def erase(request: HttpRequest) -> HttpResponse:
    """Erase the chosen shopper, who is nobody from then on."""
    user_id = Visitor.of(request).user_id
    response = redirect("shop:account")
    if user_id and request.POST.get("sure") == "yes":
        erase_person(user_id)
        response["Location"] += f"?erased={user_id}"
        become(request, response, "")
    return response


@require_safe
def plain(request: HttpRequest) -> HttpResponse:
    """Remember that this browser runs no scripts, and show it the page that it wanted."""
    response = HttpResponseRedirect(_inside(request, request.GET.get("next", "/")))
    remember_plain(request, response)
    return response


@require_POST
def choose_shopper(request: HttpRequest) -> HttpResponse:
    """Shop as one of the ten, or as nobody, from here on."""
    response = HttpResponseRedirect(_inside(request, request.POST.get("next", "/")))
    become(request, response, request.POST.get("user_id", ""))
    return response


def _page(request: HttpRequest, template: str, context: dict[str, Any], *, status: int = 200) -> HttpResponse:
    """Render a page with what every page shows, and remember the visitor."""
    visitor = Visitor.of(request)
    shared = {
        "visitor": visitor,
        "plain": is_plain(request),
        "tracker": TRACKER,
        "api_key": shop_key(),
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


def _inside(request: HttpRequest, target: str) -> str:
    """Return an address of this shop, the front page instead of any other."""
    hosts = {request.get_host()}
    return target if url_has_allowed_host_and_scheme(target, hosts, require_https=request.is_secure()) else "/"


def _note_change(request: HttpRequest, visitor: Visitor, product: Product | None, *, removed: bool) -> None:
    """Tell of a changed cart for a browser that cannot."""
    if product is None:
        return
    price = {} if product.price is None else {"unit_price": str(product.price), "currency": product.currency or None}
    kind = "cart_remove" if removed else "cart_add"
    event = {"interaction_type": kind, "product_id": product.product_id, "quantity": _quantity(request), **price}
    note(visitor, [event])


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


def _price(text: str) -> Decimal | None:
    """Read a price that somebody typed; None where it is none."""
    try:
        price = Decimal(text)
    except InvalidOperation:
        return None
    return price if price.is_finite() and 0 <= price <= DEAREST else None
