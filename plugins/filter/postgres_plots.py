# Copyright (c) 2026, Astral Draft Platform Engineering
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible.errors import AnsibleFilterError
from ansible_collections.astraldraft.ops.plugins.module_utils._plots import draw, library
from ansible_collections.astraldraft.ops.plugins.module_utils._plots_postgres import charts


def postgres_plots(info):
    """Pictures of what postgres_info measured. See postgres_plots.yml beside this file."""
    try:
        found = charts(info)
    except (AttributeError, KeyError, TypeError) as error:
        raise AnsibleFilterError("postgres_plots wants an answer of the module postgres_info: {0!r}".format(error))
    drawing = library()
    if drawing is None:
        return {"available": False, "plots": []}
    return {"available": True, "plots": [{"title": chart.title, "svg": draw(drawing, chart)} for chart in found]}


class FilterModule:
    def filters(self):
        return {"postgres_plots": postgres_plots}
