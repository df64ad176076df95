"""How text becomes numbers: by a tokenizer of the training split's texts and nothing else, or by one that is there."""

from typing import Annotated, Literal

from pydantic import Field

from qstill.contract.schemas import Strict

MAX_VOCABULARY = 16_384  # logits of every token are kept for a while
BYTES_AND_SPECIALS = 256 + 3  # a byte-level vocabulary holds every byte, padding, unknown and end of text

Vocabulary = Annotated[int, Field(ge=8, le=MAX_VOCABULARY)]


class CharacterTokenizer(Strict):
    """A token is a character. Decoding gives the text back, but for characters that training did not see."""

    kind: Literal["character"] = Field(description="Every character is a token.", examples=["character"])
    vocabulary: Vocabulary = Field(
        512, description="At most so many tokens, the most frequent; others are unknown.", examples=[512]
    )


class WordTokenizer(Strict):
    """A token is a word, in lower case, or a run of punctuation. Decoding does not give spaces and capitals back."""

    kind: Literal["word"] = Field(description="Words in lower case, and runs of punctuation.", examples=["word"])
    vocabulary: Vocabulary = Field(
        2000, description="At most so many tokens, the most frequent; others are unknown.", examples=[2000]
    )


class BpeTokenizer(Strict):
    """Byte-level byte-pair encoding (1508.07909, GPT-2's variant). Decoding gives every text back."""

    kind: Literal["bpe"] = Field(description="Byte-level byte-pair encoding; no text is unknown to it.")
    vocabulary: Annotated[int, Field(ge=BYTES_AND_SPECIALS + 1, le=MAX_VOCABULARY)] = Field(
        1000,
        description="At most so many tokens; 256 of them are the bytes, the others what came together most often.",
        examples=[1000],
    )


class TeachersTokenizer(Strict):
    """The tokenizer that the teacher was trained with, so that it may teach on other texts, or on another split."""

    kind: Literal["teacher"] = Field(
        description="The one in the card of a teacher from the registry, of an earlier job's checkpoint or of a "
        "safetensors file; the `tokenizer.json` of a language model in a folder, or of a served one, its numbers moved "
        "so that padding, unknown, the end of a text and a mask come first. `max_length` has to be the teacher's too "
        "where its positions are learned."
    )


class StudentsTokenizer(Strict):
    """The tokenizer of the folder that the student is begun from, and no other: its weights know these tokens."""

    kind: Literal["student"] = Field(
        description="The one in the folder of a `pretrained` student. `max_length` counts the model's own marks, too.",
        examples=["student"],
    )


Trainable = CharacterTokenizer | WordTokenizer | BpeTokenizer
Tokenizer = Annotated[Trainable | TeachersTokenizer | StudentsTokenizer, Field(discriminator="kind")]
