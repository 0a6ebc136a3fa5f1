"""The product's WSGI application with one more view: the bytes of a homepage, from memory."""

from django.conf import settings

from reemio.wsgi import application as application

settings.ROOT_URLCONF = "benchmarks.homepage_urls"
