"""A graph to be cut, and a kernel to learn with."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from qstill.contract.schemas import Strict, refuse

MAX_NODES = 10  # every cut is computed, for the largest must be known
MAX_EDGES = MAX_NODES * (MAX_NODES - 1) // 2
MAX_LAYERS = 6
MAX_FEATURES = 4  # qubits of the feature map
MAX_TRAIN = 60  # rows; the kernel has an entry for each pair

Node = Annotated[int, Field(ge=0, lt=MAX_NODES)]


class Edge(Strict):
    """One edge of a graph."""

    nodes: list[Node] = Field(min_length=2, max_length=2, description="The two nodes.", examples=[[0, 1]])
    weight: float = Field(1.0, ge=-100, le=100, description="What cutting it is worth.", examples=[1.0])


_CUBE_WITH_A_DIAGONAL = [[0, 1], [1, 3], [3, 2], [2, 0], [4, 5], [5, 1], [4, 0], [3, 5], [2, 4], [0, 3]]


class MaxCut(Strict):
    """Divide a graph's nodes in two so that the edges between the halves weigh most, by QAOA."""

    name: Literal["maxcut"] = Field(description="Cut a graph.", examples=["maxcut"])
    edges: list[Edge] = Field(
        [Edge(nodes=nodes, weight=1.0) for nodes in _CUBE_WITH_A_DIAGONAL],
        min_length=1,
        max_length=MAX_EDGES,
        description="The edges; nodes are numbered from 0.",
        examples=[[{"nodes": [0, 1]}, {"nodes": [1, 2]}, {"nodes": [2, 0], "weight": 0.5}]],
    )
    layers: int = Field(3, ge=1, le=MAX_LAYERS, description="QAOA layers.", examples=[3])

    @model_validator(mode="after")
    def _simple(self) -> Self:
        seen: set[frozenset[int]] = set()
        for index, edge in enumerate(self.edges):
            pair = frozenset(edge.nodes)
            if len(pair) == 1:
                refuse(("edges", index, "nodes"), "loop", "An edge joins two different nodes.", edge.nodes)
            if pair in seen:
                refuse(("edges", index, "nodes"), "repeated", "This edge is there already.", edge.nodes)
            seen.add(pair)
        return self


class QuantumKernel(Strict):
    """Classify with the overlaps of quantum feature states as a kernel."""

    name: Literal["quantum_kernel"] = Field(description="A quantum kernel.", examples=["quantum_kernel"])
    dataset: Literal["iris", "wine", "breast_cancer"] = Field(
        "iris",
        description="Two classes of a data set that comes with scikit-learn: of iris the last two, which overlap, of "
        "wine the first two.",
        examples=["iris"],
    )
    features: int = Field(
        2, ge=2, le=MAX_FEATURES, description="Principal components that are kept, a qubit each.", examples=[2]
    )
    repetitions: int = Field(2, ge=1, le=4, description="Layers of the ZZ feature map.", examples=[2])
    bandwidth: float = Field(
        1.0,
        ge=0.05,
        le=6.3,
        description="Features are scaled to 0 … bandwidth radians. A wide one makes all rows look different.",
        examples=[0.3],
    )
    train: int = Field(40, ge=10, le=MAX_TRAIN, description="Rows to learn from, drawn by the seed.", examples=[40])
    test: int = Field(30, ge=10, le=MAX_TRAIN, description="Other rows to judge by.", examples=[30])
