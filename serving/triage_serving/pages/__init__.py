"""The review pages: plain forms and links, a little script of our own that only adds comfort, nothing from another host."""

from triage_serving.pages.routes import routers

__all__ = ["routers"]
