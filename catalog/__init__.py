"""What the shop sells: the mirror of its products, their embeddings, and how they are kept in step."""
