"""A chart as SVG."""

from app.circuits.histogram.chart import Chart
from app.web.svg import group, picture, shape


def chart_svg(chart: Chart) -> str:
    """The picture as XML. Each outcome is a group whose title is its figures."""
    parts = [*map(shape, chart.shapes), *(group(bar.words, bar.shapes) for bar in chart.bars)]
    return picture(chart.width, chart.height, chart.title, chart.description, parts)
