"""The chart, rendered as Helm does.

    python -m tests.charts

lints it, and says what is not well.
"""

import sys
from functools import cache
from typing import Any

import helm_python
import yaml

from tests.acceptance.services import ROOT

CHART = ROOT / "deploy/helm/diptych"

NEEDED: dict[str, Any] = {
    "image": {"repository": "registry.example.com/diptych"},
    "hosts": ["users.example.com"],
    "auth": {"issuers": ["https://login.example.com"], "audiences": ["https://users.example.com"]},
    "database": {"secret": "diptych-databases"},
}
"""The values without a default."""

ALL_OPTIONS: dict[str, Any] = {
    **NEEDED,
    "commands": {"autoscaling": {"enabled": True}, "settings": {"RATE_LIMIT": 6000}},
    "queries": {"autoscaling": {"enabled": True}},
    "previousProjector": {"tag": "0.0.9"},
    "imagePullSecrets": [{"name": "registry"}],
    "ingress": {"enabled": True, "tlsSecret": "users-tls"},
    "networkPolicy": {"ingressFrom": [{"namespaceSelector": {}}]},
    "podMonitor": {"enabled": True, "keySecret": "metrics-key"},
}
"""Values that have everything rendered."""

Manifest = dict[str, Any]


@cache
def chart() -> helm_python.Chart:
    """The chart of this checkout."""
    return helm_python.Chart.load(CHART)


def rendered(values: dict[str, Any]) -> list[Manifest]:
    """What Helm would have Kubernetes do.

    Raises:
        HelmError: the values cannot be used.

    """
    chart().validate_schema(chart().merge_values(values))
    files = chart().render(values, name="diptych", namespace="users")
    texts = [text for name, text in files.items() if name.endswith(".yaml")]
    return [each for text in texts for each in yaml.load_all(text, yaml.CSafeLoader) if each]


def main() -> int:
    """Lint the chart; 0 if it is well."""
    report = helm_python.lint(CHART, ALL_OPTIONS, strict=True)
    wrong = [
        *report["errors"],
        *(each["error"] for each in report["messages"] if each["severity"] > 1),
    ]
    sys.stdout.writelines(f"{CHART.name}: {each}\n" for each in wrong)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
