"""Bodies of requests from what people write: contract models, dictionaries, and short forms of their parts."""

from collections.abc import Mapping, Sequence
from typing import Any, TypedDict, get_args

from pydantic import BaseModel

from qstill.client.circuits import bindings_body, circuit_body, is_batch
from qstill.contract.answers.artifacts import CheckpointView
from qstill.contract.answers.files import FileView
from qstill.contract.answers.models import ModelView
from qstill.contract.circuits.device import Device
from qstill.contract.circuits.job import CircuitJob, Truncation
from qstill.contract.circuits.noise.model import Noise
from qstill.contract.circuits.outputs import Observable, OutputName
from qstill.contract.circuits.profile import MethodName
from qstill.contract.distillations.architectures import BY_KIND
from qstill.contract.distillations.datasets import BuiltinData, BuiltinText

BUILTIN = frozenset(get_args(BuiltinData.model_fields["name"].annotation))
BUILTIN_TEXT = frozenset(get_args(BuiltinText.model_fields["name"].annotation))

Json = dict[str, Any]
Part = Mapping[str, Any] | BaseModel | str | None
Bindings = Sequence[Mapping[Any, Any]]  # values by the names of parameters, or by the parameters themselves


class About(TypedDict, total=False):
    """What every job may say about itself."""

    name: str
    labels: Mapping[str, str]
    priority: int


class CircuitSettings(About, total=False):
    """Fields of a circuit job besides its circuits; `CircuitJob` describes them."""

    seed: int
    method: MethodName
    precision: str
    truncation: Truncation | Mapping[str, Any]
    noise: Noise | Mapping[str, Any] | str
    ideal: bool
    device: Device | Mapping[str, Any]
    outputs: Sequence[OutputName]
    observables: Sequence[Any]


class RunSettings(CircuitSettings, total=False):
    """What a circuit may be run with. timeout: seconds that it is waited for."""

    shots: int
    parameters: Any
    timeout: float


def plain(value: Any) -> Any:
    """Models of the contract as JSON, wherever they stand."""
    match value:
        case BaseModel():
            return value.model_dump(mode="json", exclude_none=True, by_alias=True)
        case Mapping():
            return {str(name): plain(each) for name, each in value.items()}
        case list() | tuple():
            return [plain(each) for each in value]
    return value


def circuit_job(
    circuit: Any,
    *,
    shots: int | None = None,
    bindings: Bindings | None = None,
    parameters: Any = None,
    **settings: Any,
) -> Json:
    """The body of a circuit job. A whole job, with `circuit` or `circuits`, goes as it is."""
    body: Json = {}
    renamed: Mapping[str, str] = {}
    if isinstance(circuit, CircuitJob) or (isinstance(circuit, Mapping) and {"circuit", "circuits"} & circuit.keys()):
        body = plain(circuit)
    elif is_batch(circuit):
        body["circuits"] = [circuit_body(each, parameters)[0] for each in circuit]
    else:
        body["circuit"], renamed = circuit_body(circuit, parameters)
    if shots is not None:
        body["shots"] = shots
    if bindings is not None:
        body["bindings"] = bindings_body(bindings, renamed)
    body |= {name: plain(value) for name, value in settings.items() if value is not None}
    if "observables" in body:
        body["observables"] = [observable(each) for each in body["observables"]]
    return body


def observable(given: Any) -> Any:
    """Qiskit's SparsePauliOp, and pairs of (letters, coefficient), as an observable of the contract."""
    if hasattr(given, "to_list") and hasattr(given, "paulis"):
        given = given.to_list()
    if isinstance(given, list):
        terms = []
        for letters, coefficient in given:
            if complex(coefficient).imag:
                raise ValueError(f"an observable has real coefficients, and {letters} has {coefficient}")
            terms.append({"paulis": letters, "coefficient": complex(coefficient).real})
        return {"terms": terms}
    return plain(given.model_dump(mode="json", exclude_none=True) if isinstance(given, Observable) else given)


def distillation_job(body: Part = None, /, *, opened_here: bool = True, **parts: Any) -> Json:
    """The body of a distillation, from a model or a dictionary, or from its parts in short:

    dataset: the name of a data set that is built in, or an uploaded file. teacher: a network to be trained, a model, a
    checkpoint or an uploaded file. student: a network. Parts that are whole objects of the contract go as they are.
    opened_here: whether the student shall leave as ONNX where nothing else is said.
    """
    made: Json = {} if body is None else dict(plain(body))
    made |= {name: value for name, value in parts.items() if value is not None}
    for name, short in (("dataset", dataset), ("teacher", teacher), ("student", student)):
        if name in made:
            made[name] = short(made[name])
    made = plain(made)
    if opened_here and "export" not in made and _leaves_as_onnx(made):
        made["export"] = ["onnx"]  # what `job.student()` opens: seconds
    return made


def sweep_job(body: Part = None, /, **parts: Any) -> Json:
    """The body of a sweep; `base` may be as short as a distillation's."""
    made: Json = {**({} if body is None else plain(body)), **parts}
    if "base" in made:
        made["base"] = distillation_job(made["base"], opened_here=False)
    return dict(plain(made))


def dataset(given: Any) -> Any:
    match given:
        case FileView():
            return {"source": "file", "file": given.id}
        case str() if given in BUILTIN:
            return {"source": "builtin", "name": given}
        case str() if given in BUILTIN_TEXT:
            return {"source": "builtin_text", "name": given}
        case str():
            return {"source": "file", "file": given}
        case Mapping() if "source" not in given and isinstance(given.get("file"), FileView):
            return {**given, "source": "file", "file": given["file"].id}
        case Mapping() if "source" not in given and "file" in given:
            return {**given, "source": "file"}
        case Mapping() if "source" not in given and given.get("name") in BUILTIN:
            return {**given, "source": "builtin"}
    return given


def teacher(given: Any) -> Any:
    match given:
        case ModelView() | CheckpointView():
            return {"source": "model", "model": given.id}
        case FileView():
            return {"source": "file", "file": given.id}
        case str():
            return {"source": "file" if given.startswith("file_") else "model"} | {
                "file" if given.startswith("file_") else "model": given
            }
    return {"source": "train", "architecture": given} if _is_network(given) else given


def student(given: Any) -> Any:
    return {"architecture": given} if _is_network(given) else given


def _is_network(given: Any) -> bool:
    """A definition as it stands below `architecture`."""
    named = given.get("kind") if isinstance(given, Mapping) else getattr(given, "kind", None)
    return isinstance(named, str)


def _leaves_as_onnx(body: Json) -> bool:
    """Whether its student is of a family of rows or texts that can leave as ONNX."""
    architecture = body.get("student", {}).get("architecture", {}) if isinstance(body.get("student"), Mapping) else {}
    source = body.get("dataset", {}).get("source") if isinstance(body.get("dataset"), Mapping) else None
    family = BY_KIND.get(architecture.get("kind", "")) if isinstance(architecture, Mapping) else None
    if family is None or source not in ("builtin", "file", "uniform") or "onnx" not in family.exports:
        return False
    try:
        return family.why_no_onnx(family.definition.model_validate(architecture)) is None
    except ValueError:
        return False  # what is wrong with it, the server says


def question(rows: Any, asked: Mapping[str, Any]) -> Json:
    """The body of a prediction. rows: of numbers, of a table as objects or a frame, or texts; or `asked` says it."""
    if rows is None:
        return dict(plain(asked))
    return {_field(rows): listed(rows), **plain(asked)}


def _field(rows: Any) -> str:
    if hasattr(rows, "to_dict") and hasattr(rows, "columns"):
        return "rows"
    first = next(iter(rows), None)
    if isinstance(first, str):
        return "texts"
    return "rows" if isinstance(first, Mapping) else "inputs"


def listed(rows: Any) -> Any:
    """Rows of arrays and frames as JSON has them: images flattened, gaps null."""
    if hasattr(rows, "to_dict") and hasattr(rows, "columns"):
        return [{str(name): _cell(value) for name, value in row.items()} for row in rows.to_dict("records")]
    if hasattr(rows, "reshape") and hasattr(rows, "tolist"):
        return rows.reshape(rows.shape[0], -1).tolist()
    return [{name: _cell(value) for name, value in row.items()} if isinstance(row, Mapping) else row for row in rows]


def _cell(value: Any) -> Any:
    """A value of a table as JSON: what is unequal to itself is a gap, as NaN and pandas' NaT are."""
    value = value.item() if hasattr(value, "item") and not hasattr(value, "isoformat") else value
    if value is None or type(value).__name__ == "NAType" or value != value:
        return None
    return str(value) if hasattr(value, "isoformat") else value
