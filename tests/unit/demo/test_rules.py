"""The demo's alerts: what each must have, and what the tools of Prometheus and Alertmanager say of them where they are at hand."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[3]
MONITORING = ROOT / "demo/images/monitoring"
IMAGE = "astraldraft/monitoring:trixie"
RULES = yaml.safe_load((MONITORING / "prometheus/rules/astral.yml").read_text())
ALERTS = [rule for group in RULES["groups"] for rule in group["rules"] if "alert" in rule]
NAMES = [alert["alert"] for alert in ALERTS]
TESTED = (MONITORING / "prometheus/tests/astral.yml").read_text()
HEADINGS = re.findall(r"^### (\w+)$", (ROOT / "docs/monitoring.md").read_text(), re.MULTILINE)


@pytest.mark.parametrize("alert", ALERTS, ids=NAMES)
def test_an_alert_says_what_it_is_whose_it_is_and_what_to_do(alert):
    assert alert["labels"]["severity"] in ("critical", "warning", "none")
    assert alert["labels"]["service"]
    assert set(alert["annotations"]) == {"summary", "description", "runbook", "runbook_url"}
    assert all(alert["annotations"].values())


@pytest.mark.parametrize("alert", ALERTS, ids=NAMES)
def test_an_alert_leads_to_its_paragraph(alert):
    assert alert["annotations"]["runbook_url"].endswith(f"/docs/monitoring.md#{alert['alert'].lower()}")
    assert HEADINGS.count(alert["alert"]) == 1


def test_every_alert_is_tested():
    assert [name for name in NAMES if f'"{name}"' not in TESTED and f"alertname: {name}\n" not in TESTED] == []


def test_names_are_unique_and_the_runbooks_are_there():
    assert len(NAMES) == len(set(NAMES))
    wanted = {"HighErrorRate", "HighResponseTime", "PostgresConnectionsHigh", "ServiceUnavailable", "TargetDown", "CertificateExpiresSoon"}
    assert wanted | {"Watchdog"} <= set(NAMES)


@pytest.fixture(scope="module")
def run():
    """Runs a command with the tools of Prometheus and Alertmanager: those of this machine, or of the demo's image."""
    before = []
    if not (shutil.which("promtool") and shutil.which("amtool")):
        if not shutil.which("docker") or subprocess.run(["docker", "image", "inspect", IMAGE], capture_output=True, check=False).returncode:
            pytest.skip(f"neither promtool and amtool nor the image {IMAGE} are here")
        before = ["docker", "run", "--rm", "--network=none", f"--volume={MONITORING}:/checked:ro", "--workdir=/checked", IMAGE]

    def one(*arguments):
        done = subprocess.run([*before, *arguments], cwd=MONITORING, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stdout + done.stderr

    return one


def test_promtool_passes_the_rules(run):
    run("promtool", "test", "rules", "prometheus/tests/astral.yml")


def test_amtool_takes_the_configuration_and_its_routes(run):
    run("sh", "-c", "amtool check-config alertmanager/alertmanager.yml && alertmanager/check-routes alertmanager/alertmanager.yml")
