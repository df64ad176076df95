"""The free angles of the templates that search for some: what a surrogate of their landscape is a function of."""

from qstill.contract.circuits.templates import Template
from qstill.contract.circuits.templates.chemistry import Vqe
from qstill.contract.circuits.templates.finance import Portfolio
from qstill.contract.circuits.templates.optimisation import MaxCut

EXCITATIONS = {"h2": 3, "lih": 8}  # of one electron of each spin: all doubles and all singles


def angles_of(template: Template) -> list[str]:
    """Their names, in the order in which the template's answer has them; none of a template that searches for none."""
    match template:
        case MaxCut() | Portfolio():
            return [f"{name}{layer}" for name in ("beta", "gamma") for layer in range(template.layers)]
        case Vqe():
            return [f"theta{number}" for number in range(EXCITATIONS[template.molecule])]
        case _:
            return []
