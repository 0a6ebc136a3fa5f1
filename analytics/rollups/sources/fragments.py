"""Pieces of SQL that the sources share."""

# Lists are at most 50 long; whatever a storefront reports beyond is pooled there.
LAST_POSITION = 50
# Of each part, so many search texts are kept apart, and so many pairs of text and clicked product.
QUERIES_KEPT = 100
# Five minutes divide the hours of every time zone that is in use.
PART = "date_bin('5 minutes', {}, '2000-01-01 00:00+00')"
WITHIN = "{0} >= %(begin)s AND {0} < %(end)s"
QUERY = r"left(regexp_replace(lower(btrim({})), '\s+', ' ', 'g'), 100)"
CONTEXT = "CASE WHEN s.placement = 'search' THEN 'search' ELSE coalesce(nullif(s.context, ''), {}) END"
LIST = """
    coalesce(s.placement, '') AS placement, coalesce(s.strategy, '') AS strategy, coalesce(s.variant, '') AS variant,
    coalesce(s.campaign, '') AS campaign
"""
DIMENSIONS = "context, placement, strategy, variant, campaign, position, device"
