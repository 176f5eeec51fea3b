# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A service with a JSON API and a token, asked as often as it likes. Private: other collections must not import it."""

from __future__ import annotations

from ansible_collections.astraldraft.ops.plugins.module_utils._http import connection_of
from ansible_collections.astraldraft.ops.plugins.module_utils._http_json import IN_DOUBT, ask_json, not_like, refusal
from ansible_collections.astraldraft.ops.plugins.module_utils._net import ProbeError
from ansible_collections.astraldraft.ops.plugins.module_utils._patience import patiently, retry_after
from ansible_collections.astraldraft.ops.plugins.module_utils._wait import Deadline


class JsonService:
    """What PagerDuty and the trackers have in common. Every method raises ProbeError, whose ``reason`` says what kind of failure it is:

    our_credentials, forbidden, not_found, conflict, refused_arguments, rate_limited, server_error, or what came between.
    """

    name = ""
    #: The options to correct when the credentials are refused.
    credentials = "token"
    #: Statuses besides 2xx that get a sentence of their own.
    read: tuple[int, ...] = (400, 409)

    def __init__(self, params, heartbeat=None):
        self._connection = dict(connection_of(params), url=params["url"])
        self._token, self._heartbeat = params["token"], heartbeat
        self._deadline = Deadline(params["wait_timeout"])
        self.waited = 0.0

    def _headers(self):
        """The headers of every request."""
        raise NotImplementedError

    @staticmethod
    def _delay_of(headers, now):
        """The seconds after which requests are taken again, by the headers of a 429."""
        return retry_after(headers, now)

    @staticmethod
    def _meant(answer):
        """The answer with the status that it stands for, where a service uses another one."""
        return answer

    def _refusal(self, answer):
        """The ProbeError of an answer that is none."""
        message = "{0} at {1} answered {2}: {3}".format(self.name, answer.url, answer.status, answer.said or "no reason")
        if answer.status == 409:
            return ProbeError("wrong_answer", "conflict", message, "Somebody else changed it meanwhile: look at it, then run it again.")
        if answer.status in (400, 422):
            return ProbeError("wrong_answer", "refused_arguments", message, "Correct what it says.")
        return refusal(answer, self.name, self.credentials)

    def _ask(self, path, parameters=(), method="GET", body=None, headers=None, accepted=(), form=dict):
        """The Answer. ``accepted``: statuses besides 2xx that are one here. ``form``: what its document must be; None for anything."""
        more = {"service": self.name, "method": method, "body": body, "headers": dict(self._headers(), **(headers or {})),
                "secrets": (self._token,), "credentials": self.credentials, "text": form is None}  # fmt: skip
        statuses = tuple(accepted) + self.read + (429,)

        def ask():
            return self._meant(ask_json(self._connection, path, parameters, accepted=statuses, **more))

        try:
            answer, _attempts, waited = patiently(ask, self._delay_of, self._too_often, self._deadline, self._heartbeat)
        except ProbeError as error:
            if method != "GET" and error.reason in IN_DOUBT:
                error.next += " What was asked for may have been done all the same: run it again, which looks first."
            raise
        self.waited += waited
        if answer.status in accepted:
            return answer
        if not 200 <= answer.status < 300:
            raise self._refusal(answer)
        if form is not None and not isinstance(answer.document, form):
            raise not_like(self.name, answer.url)
        return answer

    def _too_often(self, answer, delay):
        message = "{0} at {1} wants to be asked less often; in {2:.0f} s it answers again, and {3:.0f} s are left of wait_timeout"
        message = message.format(self.name, answer.url, delay, self._deadline.remaining)
        return ProbeError("wrong_answer", "rate_limited", message, "Run it again then, or raise wait_timeout.")
