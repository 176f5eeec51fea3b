from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from ansible_collections.astraldraft.ops.plugins.module_utils._clock import on_calendar

SPELT = {
    "15 2 * * *": ["*-*-* 02:15:00"],
    "* * * * *": ["*-*-* *:*:00"],
    "*/15 * * * *": ["*-*-* *:00,15,30,45:00"],
    "0 8-18/5 * * mon-fri": ["Mon,Tue,Wed,Thu,Fri *-*-* 08,13,18:00:00"],
    "15 5 * * sun": ["Sun *-*-* 05:15:00"],
    "15 5 * * 0": ["Sun *-*-* 05:15:00"],
    "15 5 * * 5-7": ["Fri,Sat,Sun *-*-* 05:15:00"],
    "15 5 * * 0-7": ["*-*-* 05:15:00"],
    "0 0 1 jan,7 *": ["*-01,07-01 00:00:00"],
    # Either of them, as cron has it.
    "0 5 1 * mon": ["*-*-01 05:00:00", "Mon *-*-* 05:00:00"],
    # Both of them, since one begins with an asterisk.
    "0 5 */10 * mon": ["Mon *-*-01,11,21,31 05:00:00"],
}
WRONG = {
    "0 5 * *": "not the five fields",
    "@daily": "not the five fields",
    "60 5 * * *": "'60' is no minute: 0 to 59",
    "0 24 * * *": "'24' is no hour",
    "0 5 0 * *": "'0' is no day of the month",
    "0 5 * 13 *": "'13' is no month",
    "0 5 * * someday": "'someday' is no day of the week",
    "0 5 * * ²": "is no day of the week",
    "0 18-8 * * *": "begins after its end",
    "0/5 * * * *": "no step that cron knows",
    "*/0 * * * *": "no step that cron knows",
    "*/ * * * *": "no step that cron knows",
    ",5 * * * *": "'' is no minute",
}


@pytest.mark.parametrize("cron", SPELT)
def test_cron_in_the_words_of_systemd(cron):
    assert on_calendar(cron) == SPELT[cron]


@pytest.mark.skipif(not Path("/usr/bin/systemd-analyze").exists(), reason="systemd itself is asked where it is")
def test_systemd_understands_them():
    spelt = [expression for expressions in SPELT.values() for expression in expressions]
    done = subprocess.run(["systemd-analyze", "calendar", *spelt], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("cron", WRONG)
def test_what_is_no_time_is_refused_with_the_field(cron):
    with pytest.raises(ValueError, match=WRONG[cron].replace("(", r"\(")):
        on_calendar(cron)
