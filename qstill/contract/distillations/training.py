"""How a network is trained."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from qstill.contract.schemas import Seed, Strict, refuse

MAX_EPOCHS = 10_000  # one event row each at worst
MAX_BATCH = 4096  # rows; with MAX_WIDTH it bounds the activations to 16 MB a layer
MAX_CLASSES = 1_000  # as many as a data set may have

Epochs = Annotated[int, Field(ge=1, le=MAX_EPOCHS)]


class Augmentation(Strict):
    """What is done to training images anew in every epoch, a function of seed, epoch and row."""

    flip: bool = Field(False, description="Mirror half of the images left to right; not for digits.", examples=[True])
    crop: Annotated[int, Field(ge=0, le=64)] = Field(
        0, description="Shift images by up to so many pixels each way; black comes in at the edge.", examples=[1]
    )
    noise: Annotated[float, Field(ge=0, le=10)] = Field(
        0.0,
        description="Standard deviation of added noise, in units of what the data is standardised by.",
        examples=[0.1],
    )
    mix: Annotated[float, Field(ge=0, le=0.5)] = Field(
        0.0,
        description="Blend each image with another that the student learns from, whose share is drawn evenly from 0 to "
        "this. The label stays that of the larger share; a teacher that is asked sees the blend.",
        examples=[0.5],
    )
    consistent: bool = Field(
        True,
        description="Ask the teacher about the images as the student sees them, in every epoch (function matching, "
        "2106.05237). If not, it says of each view what it said of the image as it is. Needs a teacher that can be "
        "asked: soft labels alone cannot.",
        examples=[True],
    )

    @model_validator(mode="after")
    def _does_something(self) -> "Augmentation":
        if not (self.flip or self.crop or self.noise or self.mix):
            refuse((), "nothing_augmented", "name at least one of flip, crop, noise and mix", {})
        return self


class Optimisation(Strict):
    """How weights are moved, whatever network they belong to."""

    epochs: Epochs = Field(
        40,
        description="Passes over the training rows. The baseline gets as many optimizer steps as the student: where it "
        "has fewer rows, they are repeated to fill each epoch.",
        examples=[40],
    )
    batch_size: Annotated[int, Field(ge=1, le=MAX_BATCH)] = Field(64, description="Rows a step.", examples=[64])
    optimizer: Literal["sgd", "adam", "adamw"] = Field("adam", description="The optimizer.", examples=["adam"])
    learning_rate: Annotated[float, Field(gt=0, le=10)] = Field(
        0.01, description="At the first step after the warm-up.", examples=[0.01]
    )
    schedule: Literal["constant", "cosine", "step"] = Field(
        "cosine", description="The learning rate over the steps; cosine ends at 0.", examples=["cosine"]
    )
    warm_up: Annotated[int, Field(ge=0, le=MAX_EPOCHS)] = Field(
        0, description="Epochs over which the learning rate first rises from 0, linearly.", examples=[0]
    )
    milestones: Annotated[list[Epochs], Field(max_length=20)] = Field(
        default_factory=list,
        description="step only: after each of these epochs the learning rate is multiplied by `decay`.",
        examples=[[20, 30]],
    )
    decay: Annotated[float, Field(gt=0, le=1)] = Field(0.1, description="step only.", examples=[0.1])
    weight_decay: Annotated[float, Field(ge=0, le=1)] = Field(
        0.0, description="L2 penalty (sgd, adam) or decoupled decay (adamw).", examples=[0.0]
    )
    momentum: Annotated[float, Field(ge=0, lt=1)] = Field(0.0, description="sgd only.", examples=[0.9])
    nesterov: bool = Field(False, description="sgd only: Nesterov's momentum.", examples=[False])
    clip_norm: Annotated[float, Field(gt=0, le=1e6)] | None = Field(
        None, description="Gradients longer than this are scaled down to it; null: never.", examples=[1.0]
    )
    patience: Epochs | None = Field(
        None,
        description="End after so many epochs without a better one on the validation rows; null: never. Student and "
        "baseline may then take different numbers of steps.",
        examples=[20],
    )
    device: Literal["auto", "cpu", "cuda"] = Field(
        "auto", description="Where it is computed; auto: on a GPU where the worker has one.", examples=["auto"]
    )

    @model_validator(mode="after")
    def _moves(self) -> "Optimisation":
        if self.momentum and self.optimizer != "sgd":
            refuse(("momentum",), "momentum_needs_sgd", "momentum belongs to sgd; adam has its own", self.momentum)
        if self.nesterov and not self.momentum:
            refuse(("nesterov",), "nesterov_needs_momentum", "without momentum there is nothing to look ahead of", True)
        if self.milestones and self.schedule != "step":
            refuse(("milestones",), "milestones_need_step", "milestones belong to the schedule `step`", self.milestones)
        if self.schedule == "step" and not self.milestones:
            why = "`step` needs `milestones`: the epochs after which the learning rate falls, such as [20, 30]"
            refuse(("milestones",), "step_needs_milestones", why, [])
        if self.warm_up >= self.epochs:
            refuse(("warm_up",), "warm_up_too_long", f"there are {self.epochs} epochs in all", self.warm_up)
        return self


class Training(Optimisation):
    """How a network is trained."""

    accumulate: Annotated[int, Field(ge=1, le=1024)] = Field(
        1,
        description="Batches whose mean gradient makes one optimizer step: larger batches in the memory of small ones. "
        "What is left at the end of an epoch makes a step of its own.",
        examples=[1],
    )
    ema: Annotated[float, Field(gt=0, lt=1)] | None = Field(
        None,
        description="Evaluate and keep an exponential moving average of the weights: the share that the average keeps "
        "at every step, less at first. Null: the weights themselves.",
        examples=[0.999],
    )
    label_smoothing: Annotated[float, Field(ge=0, lt=1)] = Field(
        0.0,
        description="Share of a label that is spread evenly over all classes. A teacher trained so tells a student "
        "less: its answers on a class are all alike.",
        examples=[0.0],
    )
    class_weights: (
        Literal["none", "balanced"]
        | Annotated[list[Annotated[float, Field(ge=0, le=1000)]], Field(min_length=2, max_length=MAX_CLASSES)]
    ) = Field(
        "none",
        description="Weights of the classes in the labels' term: `balanced` is in inverse proportion to how often a "
        "label is seen, or one number a class, classes in ascending order. What the teacher says is not weighted.",
        examples=["balanced"],
    )
    balanced_batches: bool = Field(
        False,
        description="Draw rows so that all classes come equally often, with replacement; rows without a label are "
        "drawn as often as on average.",
        examples=[False],
    )
    augmentation: Augmentation | None = Field(
        None, description="Images only: changes to the training inputs; null: none.", examples=[{"crop": 1}]
    )
    precision: Literal["float32", "bfloat16", "float16"] = Field(
        "float32",
        description="Of the network's products; weights, losses and all that is exported stay in float32. float16 "
        "needs a GPU, and its gradients are scaled.",
        examples=["float32"],
    )
    seed: Seed = Field(
        0,
        description="Initial weights, batch order, dropout and augmentation. The n-th student and its baseline start "
        "from the same weights, drawn from seed + n.",
        examples=[0],
    )

    @model_validator(mode="after")
    def _fits_together(self) -> "Training":
        if self.precision == "float16" and self.device == "cpu":
            refuse(("precision",), "float16_needs_cuda", "on a CPU use bfloat16: its range is float32's", "float16")
        if isinstance(self.class_weights, list) and not any(self.class_weights):
            refuse(("class_weights",), "nothing_to_minimise", "at least one class needs a weight", self.class_weights)
        return self


class StudentTraining(Training):
    """How the student is trained, and the baseline with it."""

    checkpoint_every: Epochs | None = Field(
        None,
        description="Also keep the student of every n-th epoch; null: only the best epoch's.",
        examples=[10],
    )
    bias_correction: bool = Field(
        False,
        description="After training, add to the logits of the classes of `dataset.leave_out` the one number that "
        "serves the validation rows best, as Hinton and others did for a digit that the student never saw. The "
        "baseline gets its own.",
        examples=[False],
    )
