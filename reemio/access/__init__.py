"""Who may ask what: API keys, and how a request shows one."""
