"""From products to a mail: subject, text and HTML out of templates, styles inlined, headers set."""
