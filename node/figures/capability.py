"""Figures as a capability of every tier."""

from node.capability import Capability
from node.figures import report

FIGURES = Capability(name="figures", handlers={"report.daily": report.apply_reports}, loops=(report.run,))
