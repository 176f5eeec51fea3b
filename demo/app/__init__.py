"""The demonstration app of Astral Draft: a small, honest service to deploy, break and roll back."""
