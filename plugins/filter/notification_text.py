# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible.errors import AnsibleFilterError
from ansible_collections.astraldraft.ops.plugins.module_utils import _notification
from ansible_collections.astraldraft.ops.plugins.module_utils._errors import OpsError


def notification_text(rendered, what="message"):
    """A message as it is sent. See notification_text.yml beside this file."""
    try:
        return _notification.text_of(rendered, what)
    except OpsError as error:
        raise AnsibleFilterError(error.message)


def chat_text(text):
    """Text as chat services show it. See chat_text.yml beside this file."""
    return _notification.chat_text(text)


class FilterModule:
    def filters(self):
        return {"notification_text": notification_text, "chat_text": chat_text}
