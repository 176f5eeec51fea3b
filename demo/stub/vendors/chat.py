"""An incoming webhook of a chat service, as Slack and Mattermost have it: POST /webhook/chat[/channel] with ``text`` or ``blocks``."""

from __future__ import annotations

from .base import METHOD_NOT_ALLOWED, BadRequest, Call, Reply, Vendor


class Chat(Vendor):
    name = "chat"
    prefixes = ("/webhook/chat",)

    def answer(self, call: Call) -> Reply:
        if call.method != "POST":
            return METHOD_NOT_ALLOWED
        try:
            message = call.json_object()
        except BadRequest:
            return Reply(400, "invalid_payload")
        if not message.get("text") and not message.get("blocks") and not message.get("attachments"):
            return Reply(400, "no_text")
        return Reply(200, "ok")
