"""The users endpoints: what is known of a person spans every app, so it is put together on top of them."""
