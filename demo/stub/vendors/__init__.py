"""All vendors. A new one: a file beside this one, and a line here."""

from .alertmanager_webhook import AlertmanagerWebhook
from .chat import Chat
from .grafana import Grafana
from .pagerduty import PagerDuty
from .sentry import Sentry
from .signed_webhook import SignedWebhook
from .sportsdata import SportsData
from .staging import Staging

VENDORS = (AlertmanagerWebhook, Chat, Grafana, PagerDuty, Sentry, SignedWebhook, SportsData, Staging)
