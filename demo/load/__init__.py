"""A strict load generator: keep-alive clients that never retry and never look whether a connection still lives."""

from .generator import Load, run
from .options import Options
from .report import answers_of, window

__all__ = ["Load", "Options", "answers_of", "run", "window"]
