"""The pages of the demo shop, below /"""

from django.urls import path

from reemio.demo import views

app_name = "shop"
urlpatterns = [
    path("", views.home, name="home"),
    path("shop/categories/<path:category>", views.category, name="category"),
    path("shop/search", views.search, name="search"),
    path("shop/products/<path:product_id>", views.product, name="product"),
    path("shop/pictures/departments/<path:category>.svg", views.department_picture, name="department_picture"),
    path("shop/pictures/<path:product_id>.svg", views.picture, name="picture"),
    path("shop/cart", views.cart, name="cart"),
    path("shop/cart/change", views.change_cart, name="change_cart"),
    path("shop/checkout", views.checkout, name="checkout"),
    path("shop/thanks", views.thanks, name="thanks"),
    path("shop/account", views.account, name="account"),
    path("shop/account/export", views.export, name="export"),
    path("shop/account/erase", views.erase, name="erase"),
    path("shop/shopper", views.choose_shopper, name="choose_shopper"),
    path("shop/plain", views.plain, name="plain"),
]
