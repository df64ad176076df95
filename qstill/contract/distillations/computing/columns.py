"""Columns of a table without the library that encodes them: rows as objects to the numbers that networks take."""

ENCODE = '''

def moment(cell, form):
    """Days since 1970 with the time of day as their fraction, month, day, Monday 0, hours; None for no such date."""
    day, _, time = cell.partition(form["before_time"]) if form["before_time"] else (cell, "", "")
    try:
        at = dict(zip(form["order"], map(int, day.split(form["sign"])), strict=True))
        date = datetime.date(at["y"], at["m"], at["d"])
        clock = [float(part) for part in time.removesuffix(form["zone"]).split(":")] if time else []
    except ValueError:
        return None
    hours = sum(part / 60**place for place, part in enumerate(clock))
    return [date.toordinal() - 719163 + hours / 24, date.month, date.day, date.weekday(), hours]


def numbers(cell, encoder):
    """Of a number, or of true and false; None for a gap."""
    if encoder["kind"] == "date":
        found = moment(str(cell), encoder["form"])
        return found and found[: len(encoder["medians"])]
    if encoder["kind"] == "boolean":
        words = {"true": 1, "t": 1, "yes": 1, "y": 1, "1": 1, "false": 0, "f": 0, "no": 0, "n": 0, "0": 0}
        found = words.get(str(cell).lower())
        return None if found is None else [found]
    return None if float(cell) != float(cell) else [float(cell)]


def encoded(row):
    """The numbers of a row: an object with values as the table has them, None or nothing in gaps."""
    found = []
    for encoder in card["columns"]["encoders"]:
        cell = row.get(encoder["name"])
        gap = cell is None or cell == "" or cell in card["columns"]["missing"]
        if encoder["kind"] == "categorical":
            names = encoder["categories"] + ["another"] * encoder["another"]
            unseen = len(names) - 1 if encoder["another"] else None
            place = len(names) if gap and encoder["gaps"] else unseen
            if not gap and str(cell) in encoder["categories"]:
                place = encoder["categories"].index(str(cell))
            found += [float(number == place) for number in range(len(names) + encoder["gaps"])]
        else:
            values = None if gap else numbers(cell, encoder)
            found += (encoder["medians"] if "medians" in encoder else [encoder["median"]]) if values is None else values
            found += [float(values is None)] * encoder["gaps"]
    return found


mean, std = (torch.tensor(card[part], dtype=torch.float64) for part in ("mean", "std"))


def logits(rows):
    """(rows, classes) of rows as objects."""
    inputs = torch.tensor([encoded(row) for row in rows])
    with torch.no_grad():
        return network(((inputs.double() - mean) / std).float())
'''
