"""All vendors. A new one: a file beside this one, and a line here."""

from .alertmanager_webhook import AlertmanagerWebhook
from .chat import Chat
from .github import GitHub
from .grafana import Grafana
from .jira import Jira
from .pagerduty import PagerDuty
from .sentry import Sentry
from .signed_webhook import SignedWebhook
from .sportsdata import SportsData
from .staging import Staging

VENDORS = (AlertmanagerWebhook, Chat, GitHub, Grafana, Jira, PagerDuty, Sentry, SignedWebhook, SportsData, Staging)
