"""Campaigns: long runs against a real stack that try to break what the collection promises."""
