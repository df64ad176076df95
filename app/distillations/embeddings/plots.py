"""The pictures of an encoder's report."""

from app.distillations.pictures.plots import AnyPlotName, learning_curves
from qstill.contract.distillations.embeddings.report import EmbeddingReport
from qstill.contract.distillations.measures.measure import SPEARMAN
from qstill.contract.errors import Problem


def embedding_plot(name: AnyPlotName, report: EmbeddingReport) -> str:
    """An SVG. Raises Problem."""
    if name == "curves":
        return learning_curves(report.curves, SPEARMAN)
    raise Problem("nothing_to_draw", f"There is no picture `{name}` of an encoder; there are `curves`.", status=404)
