"""The engine: taste, candidates, scoring, reranking, rules, and the models they read."""
