"""What every endpoint shares: field types, the parser, the error shape, throttling."""
