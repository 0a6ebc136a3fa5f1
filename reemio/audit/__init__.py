"""Who changed what: an audit trail that triggers write, whichever door a change comes through."""
