"""A shop to look at: bundled catalogue, made-up shoppers, and pages that speak to the real API."""
