"""The Django app `recommendations`."""

from django.apps import AppConfig


class RecommendationsConfig(AppConfig):
    """The engine: taste, candidates, scoring, reranking, rules, and the models they read."""

    name = "recommendations"
    verbose_name = "Recommendations"
