"""Metrics as Prometheus reads them."""

from collections.abc import Mapping

from prometheus_client.parser import text_string_to_metric_families

from app.framework.observability.metrics.exposition import text_of
from app.framework.observability.metrics.slots import all_reports

Series = tuple[str, frozenset[tuple[str, str]]]


def read() -> Mapping[Series, float]:
    """All series of the service that this process is of, with their values."""
    return parsed(_text())


def _text() -> str:
    return text_of(all_reports()).decode()


def parsed(text: str) -> Mapping[Series, float]:
    """All series of a text."""
    return {
        (each.name, frozenset(each.labels.items())): each.value
        for family in text_string_to_metric_families(text)
        for each in family.samples
    }


def value(found: Mapping[Series, float], name: str, **labels: str) -> float:
    """The sum of the series with this name and at least these labels."""
    wanted = labels.items()
    return sum(
        number for (each, has), number in found.items() if each == name and wanted <= set(has)
    )


class Since:
    """By how much series have grown since this was made."""

    def __init__(self) -> None:
        self._before = _text()

    def __call__(self, name: str, **labels: str) -> float:
        """By how much those with this name and these labels have."""
        after, before = (parsed(_only(name, each)) for each in (_text(), self._before))
        return value(after, name, **labels) - value(before, name, **labels)


def _only(name: str, text: str) -> str:
    """The lines of the series with this name: to parse all others takes a second in the end."""
    return "".join(each for each in text.splitlines(keepends=True) if each.startswith(name))
