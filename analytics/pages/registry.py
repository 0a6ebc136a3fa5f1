"""All pages, in the order of the menu."""

from analytics.pages import (
    audit,
    email,
    engine,
    experiments,
    explain,
    funnel,
    health,
    overview,
    products,
    recommendations,
    search,
    shopper,
)
from analytics.pages.page import Page

OVERVIEW = overview.PAGE
PAGES: tuple[Page, ...] = (
    OVERVIEW,
    recommendations.PAGE,
    products.PAGE,
    funnel.PAGE,
    search.PAGE,
    email.PAGE,
    shopper.PAGE,
    explain.PAGE,
    health.PAGE,
    experiments.PAGE,
    engine.PAGE,
    audit.PAGE,
)
