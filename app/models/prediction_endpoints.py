"""/v1/models/{id}/predict: try a model. A worker answers, while the request waits."""

from fastapi import APIRouter
from pydantic import TypeAdapter

from app.http.auth import Owner
from app.http.front import AtHand
from app.http.refusals.problems import problems
from app.jobs.questions import asked
from app.models.answers import ModelId
from app.models.references import must_be_there
from ledger.owned import MODELS
from qstill.contract.kinds import DISTILLATION_QUESTION
from qstill.contract.models.answers import Answer
from qstill.contract.models.questions import NewPrediction, Question

router = APIRouter(prefix="/v1/models", tags=["models"], responses=problems(401, 403, 422, 429, 503))

ANSWERS: TypeAdapter[Answer] = TypeAdapter(Answer)


@router.post("/{model_id}/predict", responses=problems(400, 404, 413, 415))
async def predict(model_id: ModelId, rows: NewPrediction, front: AtHand, owner: Owner) -> Answer:
    """What a model says. For trying it: seconds, most of them for a worker to start PyTorch.

    One field tells the questions apart: `inputs` are rows of numbers, `rows` those of a table with words, as objects,
    `texts` go to a classifier or encoder of texts, `prompts` to a language model, `masked` to a masked one, `users` to
    a recommender. A model of another kind says which of them it answers.

    Nothing is kept of it. No training is before it; where too many ask at once the answer is 503 with `Retry-After`. To
    serve a model, export it as ONNX and run that.
    """
    await front.read_by_key(lambda connection: MODELS.get(connection, owner, model_id))
    found = await asked(
        Question(model=model_id, rows=rows).model_dump(mode="json"),
        DISTILLATION_QUESTION,
        front,
        owner,
        files=[model_id],
        check=lambda connection: must_be_there(connection, owner, [("", model_id)]),
    )
    return ANSWERS.validate_python(found)
