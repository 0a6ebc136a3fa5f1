"""Roll-ups of what was searched for, whole and in detail."""

from django.db import models

from analytics.models.buckets import Rollup


class SearchRollup(Rollup):
    """One search text (lower case, at most 100 characters); the rare ones of an hour are pooled under “”."""

    pk = models.CompositePrimaryKey("grain", "starts_at", "query")
    query = models.CharField(max_length=100)
    searches = models.BigIntegerField()
    without_results = models.BigIntegerField(help_text="Searches whose event said that nothing was found.")
    clicks = models.BigIntegerField(help_text="Products clicked in served results.")


class SearchClickRollup(Rollup):
    """What was clicked in the results of one search text."""

    pk = models.CompositePrimaryKey("grain", "starts_at", "query", "product_id")
    query = models.CharField(max_length=100)
    product_id = models.CharField(max_length=128)
    clicks = models.BigIntegerField()


class SearchDetailRollup(Rollup):
    """What a row of `SearchRollup` is made of, by the device of the search, or of the click."""

    pk = models.CompositePrimaryKey("grain", "starts_at", "device", "query")
    device = models.CharField(max_length=16)
    query = models.CharField(max_length=100)
    searches = models.BigIntegerField()
    without_results = models.BigIntegerField()
    clicks = models.BigIntegerField()


class SearchClickDetailRollup(Rollup):
    """What a row of `SearchClickRollup` is made of, by the device of the click."""

    pk = models.CompositePrimaryKey("grain", "starts_at", "device", "query", "product_id")
    device = models.CharField(max_length=16)
    query = models.CharField(max_length=100)
    product_id = models.CharField(max_length=128)
    clicks = models.BigIntegerField()
