"""Teachers at an address: an endpoint that answers rows, and a language model behind an OpenAI-compatible server."""

from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from qstill.contract.distillations.teachers.pieces import CLASSES, ClassNames, Inputs, Judged, OfOtherClasses
from qstill.contract.schemas import FileId, Strict, refuse

MAX_ROWS_A_REQUEST = 4096
MAX_PROMPTS_A_REQUEST = 512
MAX_URL = 2_000  # characters
MAX_INSTRUCTION = 4_000  # characters, that are sent with each text

Url = Annotated[str, StringConstraints(min_length=1, max_length=MAX_URL)]


class AtAnAddress(Strict):
    """How the training process asks it. Answers are asked for again after a timeout, 429 or 5xx; redirects are not
    followed, proxies not used, and addresses inside the service's own network refused unless the operator named the
    host (`QSTILL_OUTBOUND_HOSTS`).
    """

    headers: FileId | None = Field(
        None,
        description="An uploaded file of purpose `secret`: a JSON object of headers and their values, such as "
        "Authorization. It can be used and never read back; no job, report or log repeats it.",
        examples=["file_01990d3e7c5a7cc09d4b8c1f2a3b4c61"],
    )
    version: Annotated[str, StringConstraints(min_length=1, max_length=200)] = Field(
        "1",
        description="Names the model behind the endpoint. Answers are kept for later jobs: change it when they change.",
        examples=["2026-11"],
    )
    requests_per_second: Annotated[float, Field(gt=0, le=1000)] = Field(
        10.0, description="At most so many.", examples=[10.0]
    )
    timeout_seconds: Annotated[float, Field(gt=0, le=300)] = Field(
        30.0, description="For one request from connecting to the last byte.", examples=[30.0]
    )
    attempts: Annotated[int, Field(ge=1, le=10)] = Field(
        5,
        description="At one request, with pauses that double from half a second, or as long as `Retry-After` says.",
        examples=[5],
    )


class EndpointTeacher(AtAnAddress, OfOtherClasses):
    """A teacher behind an HTTP endpoint. The training process itself asks it, once for every row.

    It posts `{"inputs": [[…], …]}`, rows as nested lists of numbers, and expects `{"logits": [[…], …]}` or
    `{"log_probabilities": …}`, one list for each row, and if it likes `"classes": ["…", …]`; for regression
    `{"values": [[…], …]}`, a number for each target in the units of the data.
    Answers are asked for again after a timeout, 429 or 5xx; redirects are not followed, proxies not used, and addresses
    inside the service's own network refused unless the operator named the host (`QSTILL_OUTBOUND_HOSTS`).
    """

    source: Literal["http"] = Field(description="An endpoint that answers rows.", examples=["http"])
    url: Url = Field(
        description="Where to post; https, or a host that the operator named.",
        examples=["https://teacher.example/v1/logits"],
    )
    inputs: Inputs = Field(
        "raw", description="What is posted: the data as uploaded, or this job's standardised inputs.", examples=["raw"]
    )
    classes: ClassNames | None = CLASSES
    rows_per_request: Annotated[int, Field(ge=1, le=MAX_ROWS_A_REQUEST)] = Field(
        256, description="Rows of one request.", examples=[256]
    )


class ServedTeacher(AtAnAddress, Judged):
    """A language model behind an OpenAI-compatible server, as vLLM, llama.cpp or TGI are one. For language_modelling.

    Heard by its log-probabilities (`/completions` with `logprobs`: the `signal.top_k` likeliest tokens after each
    token), where the student has its tokenizer, or, with the objective `sequence`, by texts that it writes.
    """

    source: Literal["served"] = Field(description="A language model that a server answers for.", examples=["served"])
    url: Url = Field(
        description="What stands before `/completions`; https, or a host that the operator named.",
        examples=["https://models.example/v1"],
    )
    model: Annotated[str, StringConstraints(min_length=1, max_length=300)] = Field(
        description="What the server calls the model.", examples=["HuggingFaceTB/SmolLM2-135M"]
    )
    tokenizer: FileId = Field(
        description="An uploaded file of purpose `tokenizer`: the model's `tokenizer.json`. The student reads and "
        'writes by it (`"tokenizer": {"kind": "teacher"}` of the data). The server is sent numbers of tokens, and how '
        "it spells the tokens that it answers with is held against this file.",
        examples=["file_01990d3e7c5a7cc09d4b8c1f2a3b4c62"],
    )
    end_of_text: Annotated[str, StringConstraints(min_length=1, max_length=200)] | None = Field(
        None,
        description="The token that stands between texts where the model learned. Null: the one of the usual names "
        "(`<|endoftext|>`, `</s>`, `<eos>`, …) that the tokenizer has.",
        examples=["<|endoftext|>"],
    )
    log_probabilities: Literal["echo", "next_token"] = Field(
        "echo",
        description="How they are asked for. `echo`: those of all tokens of a row at once, as vLLM gives them with "
        "`echo`. `next_token`: those after each token by a prompt of its own, for servers that do not echo, as "
        "llama.cpp: as many prompts as tokens.",
        examples=["echo"],
    )
    texts: Literal["completions", "chat"] = Field(
        "completions",
        description="Of the objective `sequence`: where the texts come from. `completions`: the model goes on after "
        "the beginning of a row. `chat`: it answers the beginning as what a user said, one request for each.",
        examples=["completions"],
    )
    instruction: Annotated[str, StringConstraints(min_length=1, max_length=MAX_INSTRUCTION)] | None = Field(
        None,
        description="Of `chat` only: what the system says before each.",
        examples=["Continue the text that you are given."],
    )
    prompts_per_request: Annotated[int, Field(ge=1, le=MAX_PROMPTS_A_REQUEST)] = Field(
        16, description="Prompts of one request.", examples=[16]
    )

    @model_validator(mode="after")
    def _instructs_a_chat(self) -> Self:
        if self.instruction is not None and self.texts != "chat":
            refuse(("instruction",), "only_for_chat", "completions go on where a row's beginning ends", None)
        return self
