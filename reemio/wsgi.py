"""The web process: `granian --interface wsgi reemio.wsgi:application`."""

from reemio.bootstrap import prepare

prepare()

from django.core.wsgi import get_wsgi_application  # noqa: E402  settings need the prepared environment

application = get_wsgi_application()
