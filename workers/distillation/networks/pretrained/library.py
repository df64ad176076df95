"""The field's own library, imported where a model of it is there and nowhere else: it takes seconds and 100 MB."""

import os
import warnings
from functools import cache
from typing import Any

OFFLINE = ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE")  # it would ask a server whether there is something newer


@cache
def transformers() -> Any:
    """The library, offline and silent. Nothing in the house imports it otherwise."""
    os.environ |= dict.fromkeys(OFFLINE, "1")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import transformers as library
    library.utils.logging.set_verbosity_error()
    library.utils.logging.disable_progress_bar()
    return library
