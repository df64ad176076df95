r"""Tokenizers without the library that trained them: texts to the numbers of their tokens, and back.

The library's expressions know more kinds of characters than Python's `re`. So each character of a text is first
replaced by a letter for its kind, and an expression cuts that row of letters.
"""

VOCABULARY = """

tokenizer = json.loads(card["tokenizer"])
numbers_of = tokenizer["model"]["vocab"]
tokens = sorted(numbers_of, key=numbers_of.get)
special = {"<pad>", "<unk>", "<end>", "<mask>"}
"""

CHARACTER = """

def encode_characters(text):
    return [numbers_of.get(character, 1) for character in text]  # 1: unknown


def decode_characters(said):
    return "".join(token for token in said if token not in special)
"""

WORD = """

def in_words(character):
    kind = unicodedata.category(character)
    return kind[0] in "LM" or kind in ("Nd", "Nl", "Pc") or character in OTHER_LETTERS


OTHER_LETTERS = {*"\\u200c\\u200d", *map(chr, [*range(0x24B6, 0x24EA), *range(0x1F130, 0x1F14A)])}
OTHER_LETTERS |= {*map(chr, [*range(0x1F150, 0x1F16A), *range(0x1F170, 0x1F18A)])}


def encode_words(text):
    text = "".join(character.lower() for character in text)
    kinds = "".join("w" if in_words(each) else " " if is_space(each) else "." for each in text)
    found = [text[match.start() : match.end()] for match in re.finditer(r"w+|\\.+", kinds)]
    return [numbers_of.get(word, 1) for word in found]  # 1: unknown


def decode_words(said):
    return " ".join(token for token in said if token not in special)
"""

SPACE = """

def is_space(character):
    return character.isspace() and not "\\x1c" <= character <= "\\x1f"
"""

BPE = """

def kind_of(character):
    if character == " " or is_space(character):
        return " " if character == " " else "s"
    return {"L": "L", "N": "N"}.get(unicodedata.category(character)[0], ".")


def words_of(text):
    kinds, place = "".join(map(kind_of, text)), 0
    while place < len(text):
        shortened = re.compile("'(?:[stmd]|re|ve|ll)").match(text, place)
        match = shortened or re.compile(r" ?L+| ?N+| ?\\.+|[ s]+(?![^ s])|[ s]+").match(kinds, place)
        yield text[place : match.end()]
        place = match.end()


printable = [*range(33, 127), *range(161, 173), *range(174, 256)]  # bytes that stand for themselves; others come after
letters = {byte: chr(byte) for byte in printable}
letters |= {byte: chr(256 + n) for n, byte in enumerate(each for each in range(256) if each not in printable)}
bytes_of = {letter: byte for byte, letter in letters.items()}
pairs = [tuple(pair.split(" ") if isinstance(pair, str) else pair) for pair in tokenizer["model"].get("merges", [])]
ranks = {pair: rank for rank, pair in enumerate(pairs)}


def encode_bytes(text):
    numbers = []
    for word in words_of(text):
        parts = [letters[byte] for byte in word.encode()]
        while len(parts) > 1:
            rank, n = min((ranks.get(pair, len(ranks)), n) for n, pair in enumerate(zip(parts, parts[1:])))
            if rank == len(ranks):
                break
            parts[n : n + 2] = [parts[n] + parts[n + 1]]
        numbers += [numbers_of[part] for part in parts]
    return numbers


def decode_bytes(said):
    ordinary = "".join(token for token in said if token not in special)
    return bytes(bytes_of[letter] for letter in ordinary).decode(errors="replace")
"""

TOKENIZERS = {
    "character": VOCABULARY + CHARACTER + "\n\nencode, decode = encode_characters, decode_characters\n",
    "word": VOCABULARY + SPACE + WORD + "\n\nencode, decode = encode_words, decode_words\n",
    "bpe": VOCABULARY + SPACE + BPE + "\n\nencode, decode = encode_bytes, decode_bytes\n",
    "teacher": VOCABULARY
    + SPACE
    + CHARACTER
    + WORD
    + BPE
    + """

ways = {
    "ByteLevel": (encode_bytes, decode_bytes),
    "Whitespace": (encode_words, decode_words),
    "Split": (encode_characters, decode_characters),
}
encode, decode = ways[tokenizer["pre_tokenizer"]["type"]]
""",
}
