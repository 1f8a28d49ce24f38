"""The table at the end: client, version, what ran, result."""

from dataclasses import dataclass


@dataclass
class Result:
    """The result of one client."""

    client: str
    version: str
    ran: str
    passed: bool

    def cells(self) -> tuple[str, str, str, str]:
        return (self.client, self.version, self.ran, "ok" if self.passed else "FAILED")


def drawn(results: list[Result]) -> str:
    """The results as a Markdown table with even columns."""
    rows = [("client", "version", "what ran", "result"), *(result.cells() for result in results)]
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    lines = ["| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths)) + " |" for row in rows]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(lines)
