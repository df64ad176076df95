"""What would read a file, run something foreign, answer something else or never end is refused."""

from collections.abc import Callable
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper
from torch.testing import assert_close

from qstill.contract.errors import Problem
from tests.workers.distillation.teachers.onnx_models import model, node
from workers.distillation.data.dataset import Data
from workers.distillation.teachers import Teacher
from workers.distillation.teachers.onnx import check as onnx_check
from workers.distillation.teachers.onnx import model as onnx_model

pytestmark = pytest.mark.training

Load = Callable[..., Teacher]
Refusal = Callable[..., Problem]
W = np.ones((4, 3), np.float32)
MATMUL = node("MatMul", ["x", "w"], ["z"])


def test_the_plain_model_of_the_tests_below_is_taken(from_model: Load, iris: Data) -> None:
    assert from_model(model([MATMUL], w=W), iris).logits(iris.test).shape == (len(iris.test.y), 3)


def external(tensor: onnx.TensorProto) -> onnx.TensorProto:
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    entry = tensor.external_data.add()
    entry.key, entry.value = "location", "/etc/passwd"
    return tensor


def tensor() -> onnx.TensorProto:
    return numpy_helper.from_array(W, "w")


def in_initializer() -> onnx.ModelProto:
    made = model([MATMUL], w=W)
    external(made.graph.initializer[0])
    return made


def without_saying_so() -> onnx.ModelProto:
    made = in_initializer()
    made.graph.initializer[0].data_location = TensorProto.DEFAULT
    return made


def in_sparse_initializer(part: str) -> onnx.ModelProto:
    values = numpy_helper.from_array(np.ones(3, np.float32), "w")
    indices = numpy_helper.from_array(np.arange(3), "i")
    sparse = helper.make_sparse_tensor(values, indices, [4, 3])
    external(getattr(sparse, part))
    made = model([MATMUL])
    made.graph.sparse_initializer.append(sparse)
    return made


def in_constant() -> onnx.ModelProto:
    return model([node("Constant", [], ["w"], value=external(tensor())), MATMUL])


def in_sparse_constant() -> onnx.ModelProto:
    values = external(numpy_helper.from_array(np.ones(3, np.float32), "v"))
    sparse = helper.make_sparse_tensor(values, numpy_helper.from_array(np.arange(3), "i"), [4, 3])
    return model([node("Constant", [], ["w"], sparse_value=sparse), MATMUL])


def branch(inner: list[onnx.NodeProto], initializers: list[onnx.TensorProto] | None = None) -> onnx.GraphProto:
    value = helper.make_tensor_value_info("w", TensorProto.FLOAT, [4, 3])
    return helper.make_graph(inner, "b", [], [value], initializers or [])


def in_subgraph() -> onnx.ModelProto:
    constant = branch([node("Constant", [], ["w"], value=external(tensor()))])
    choice = node("If", ["c"], ["v"], then_branch=constant, else_branch=constant)
    true = node("Constant", [], ["c"], value=numpy_helper.from_array(np.array(True)))
    return model([true, choice, node("MatMul", ["x", "v"], ["z"])])


def in_subgraph_initializer() -> onnx.ModelProto:
    made = in_subgraph()
    for attribute in made.graph.node[1].attribute:
        attribute.g.CopyFrom(branch([node("Identity", ["u"], ["w"])], [external(numpy_helper.from_array(W, "u"))]))
    return made


def function(inner: list[onnx.NodeProto], name: str = "f", domain: str = "mine") -> onnx.FunctionProto:
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("mine", 1)]
    return helper.make_function(domain, name, ["a"], ["b"], inner, opsets)


def in_function() -> onnx.ModelProto:
    inner = [node("Constant", [], ["w"], value=external(tensor())), node("MatMul", ["a", "w"], ["b"])]
    return model([node("f", ["x"], ["z"], domain="mine")], functions=[function(inner)], domains=("mine",))


@pytest.mark.parametrize(
    "make",
    [
        in_initializer,
        without_saying_so,
        lambda: in_sparse_initializer("values"),
        lambda: in_sparse_initializer("indices"),
        in_constant,
        in_sparse_constant,
        in_subgraph,
        in_subgraph_initializer,
        in_function,
    ],
)
def test_external_data_is_refused_wherever_it_hides(
    from_model: Load, refusal: Refusal, iris: Data, make: Callable[[], onnx.ModelProto]
) -> None:
    problem = refusal(lambda: from_model(make(), iris))
    assert problem.code == "teacher_invalid"
    assert "another file" in problem.title


def doubling(levels: int) -> onnx.ModelProto:
    """Functions of which each calls the one before twice."""
    functions = [function([node("Identity", ["a"], ["b"])], "f0")]
    for level in range(1, levels):
        calls = [node(f"f{level - 1}", ["a"], ["m"], domain="mine"), node(f"f{level - 1}", ["m"], ["b"], domain="mine")]
        functions.append(function(calls, f"f{level}"))
    nodes = [node(f"f{levels - 1}", ["x"], ["y"], domain="mine"), node("MatMul", ["y", "w"], ["z"])]
    return model(nodes, functions=functions, domains=("mine",), w=W)


def calls_itself() -> onnx.ModelProto:
    inner = function([node("f", ["a"], ["b"], domain="mine")])
    return model([node("f", ["x"], ["z"], domain="mine")], functions=[inner], domains=("mine",))


def huge_dims() -> onnx.ModelProto:
    made = model([MATMUL], w=W)
    made.graph.initializer[0].dims[:] = [1 << 40, 1 << 40]
    return made


def nested(levels: int) -> onnx.ModelProto:
    graph = branch([node("Constant", [], ["w"], value=tensor())])
    for _ in range(levels):
        true = node("Constant", [], ["c"], value=numpy_helper.from_array(np.array(True)))
        graph = branch([true, node("If", ["c"], ["w"], then_branch=graph)])
    true = node("Constant", [], ["c"], value=numpy_helper.from_array(np.array(True)))
    return model([true, node("If", ["c"], ["w"], then_branch=graph), MATMUL])


def of_opset(version: int) -> onnx.ModelProto:
    made = model([MATMUL], w=W)
    made.opset_import[0].version = version
    return made


@pytest.mark.parametrize(
    ("make", "said"),
    [
        pytest.param(lambda: b"", "not a whole ONNX model", id="nothing"),
        pytest.param(lambda: b"\x08\x0a no model", "not a whole ONNX model", id="noise"),
        pytest.param(lambda: model([MATMUL], w=W).SerializeToString()[:-9], "not a whole ONNX model", id="cut off"),
        pytest.param(lambda: model([], w=W), "computes nothing", id="no nodes"),
        pytest.param(
            lambda: model([node("Evil", ["x"], ["z"], domain="com.mine")], domains=("com.mine",)), "standard", id="ops"
        ),
        pytest.param(
            lambda: model([node("Gelu", ["x"], ["z"], domain="com.microsoft")], domains=("com.microsoft",)),
            "standard",
            id="onnxruntime's own",
        ),
        pytest.param(lambda: doubling(40), "more than 50000 nodes", id="2^40 nodes"),
        pytest.param(calls_itself, "calls itself", id="recursion"),
        pytest.param(huge_dims, "dimensions", id="huge"),
        pytest.param(lambda: nested(20), "too deep", id="deep"),
        pytest.param(lambda: of_opset(999), "operator set 999", id="future"),
        pytest.param(lambda: of_opset(1), "operator set 1", id="past"),
        pytest.param(lambda: model([node("RandomNormalLike", ["x"], ["z"])]), "at random", id="dice"),
        pytest.param(lambda: model([node("MatMul", ["x", "nobody"], ["z"])]), "", id="dangling"),
        pytest.param(lambda: model([node("NoSuchThing", ["x"], ["z"])]), "", id="unknown operator"),
    ],
)
def test_a_model_that_cannot_be_trusted_is_refused(
    from_model: Load, refusal: Refusal, iris: Data, make: Callable[[], Any], said: str
) -> None:
    problem = refusal(lambda: from_model(make(), iris))
    assert problem.code == "teacher_invalid"
    assert said in problem.title


def test_functions_of_its_own_are_no_harm(from_model: Load, iris: Data) -> None:
    assert from_model(doubling(5), iris).logits(iris.test).shape == (len(iris.test.y), 3)


def test_a_model_of_other_shapes_is_refused_with_both(from_model: Load, refusal: Refusal, iris: Data) -> None:
    wide = model([MATMUL], shape=("n", 5), w=np.ones((5, 3)))
    problem = refusal(lambda: from_model(wide, iris))
    assert problem.code == "teacher_mismatch"
    assert "(5)" in problem.title
    assert "(4,)" in problem.title
    four = model([MATMUL], columns=4, w=np.ones((4, 4)))
    problem = refusal(lambda: from_model(four, iris))
    assert problem.code == "class_mismatch"
    assert "3 classes" in problem.title


def test_of_several_outputs_that_fit_one_has_to_be_named(from_model: Load, refusal: Refusal, iris: Data) -> None:
    nodes = [node("MatMul", ["x", "w"], ["z"]), node("Neg", ["z"], ["minus"]), node("Abs", ["x"], ["other"])]
    made = model(nodes, besides={"minus": 3, "other": 4}, w=W)
    problem = refusal(lambda: from_model(made, iris), "/teacher/output")
    assert (problem.code, problem.ways_out) == ("output_needed", [{"output": "z"}, {"output": "minus"}])
    first = from_model(made, iris, output="z")
    assert torch.equal(from_model(made, iris, output="minus").logits(iris.test), -first.logits(iris.test))
    assert any("output 'z' was read, as logits" in note for note in first.notes)
    problem = refusal(lambda: from_model(made, iris, output="logits"), "/teacher/output")
    assert {"output": "z"} in problem.ways_out
    assert refusal(lambda: from_model(made, iris, output="other"), "/teacher/output").code == "class_mismatch"


def test_an_output_that_does_not_declare_its_columns_is_tried(from_model: Load, iris: Data) -> None:
    """Beside the answers stands an embedding of a width that only running it shows."""
    nodes = [node("MatMul", ["x", "w"], ["z"]), node("Abs", ["x"], ["embedding"])]
    made = model(nodes, columns="c", besides={"embedding": "width"}, w=W)
    teacher = from_model(made, iris)
    assert_close(teacher.logits(iris.test), iris.test.raw @ torch.from_numpy(W))
    assert any("output 'z'" in note for note in teacher.notes)


def test_two_inputs_are_one_too_many(from_model: Load, refusal: Refusal, iris: Data) -> None:
    made = model([node("Add", ["x", "y"], ["u"]), node("MatMul", ["u", "w"], ["z"])], w=W)
    made.graph.input.append(helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 4]))
    problem = refusal(lambda: from_model(made, iris))
    assert (problem.code, "2 inputs" in problem.title) == ("teacher_mismatch", True)


def test_a_model_that_never_ends_is_ended(from_model: Load, iris: Data, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(onnx_model, "RUN_SECONDS", 0.3)
    body = helper.make_graph(
        [node("Identity", ["go"], ["again"]), node("Neg", ["v"], ["next"])],
        "body",
        [
            helper.make_tensor_value_info("i", TensorProto.INT64, []),
            helper.make_tensor_value_info("go", TensorProto.BOOL, []),
            helper.make_tensor_value_info("v", TensorProto.FLOAT, ["n", 3]),
        ],
        [
            helper.make_tensor_value_info("again", TensorProto.BOOL, []),
            helper.make_tensor_value_info("next", TensorProto.FLOAT, ["n", 3]),
        ],
    )
    true = node("Constant", [], ["c"], value=numpy_helper.from_array(np.array(True)))
    made = model([node("MatMul", ["x", "w"], ["u"]), true, node("Loop", ["", "c", "u"], ["z"], body=body)], w=W)
    with pytest.raises(Problem, match=r"did not answer within 0\.3 s"):
        from_model(made, iris).logits(iris.test)


def test_the_count_of_nodes_is_bounded_without_functions_too(
    from_model: Load, refusal: Refusal, iris: Data, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(onnx_check, "MAX_NODES", 2)
    nodes = [node("Neg", ["x"], ["a"]), node("Neg", ["a"], ["b"]), node("MatMul", ["b", "w"], ["z"])]
    assert "more than 2 nodes" in refusal(lambda: from_model(model(nodes, w=W), iris)).title
