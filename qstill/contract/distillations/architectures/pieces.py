"""What definitions of networks are put together from, and what bounds them."""

from typing import Annotated, Literal

from pydantic import Field

MAX_LAYERS = 8  # with MAX_WIDTH: below 10^7 weights, so that one state file stays below 200 MB
MAX_WIDTH = 1024
MAX_CONVOLUTIONS = 4
MAX_CHANNELS = 128  # four 3x3 layers of 128 channels are 450,000 weights: seconds an epoch on one core
MAX_TOKEN_WIDTH = 512

Width = Annotated[int, Field(ge=1, le=MAX_WIDTH)]
Channels = Annotated[int, Field(ge=1, le=MAX_CHANNELS)]
Dropout = Annotated[float, Field(ge=0, le=0.9)]
Activation = Literal["relu", "gelu", "tanh"]
TokenWidth = Annotated[int, Field(ge=4, le=MAX_TOKEN_WIDTH)]
Depth = Annotated[int, Field(ge=1, le=MAX_LAYERS)]
Heads = Annotated[int, Field(ge=1, le=16)]
