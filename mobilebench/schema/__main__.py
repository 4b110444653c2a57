"""Write schemas and protocols to files; with the word `vectors`, the golden vectors."""

import sys
from pathlib import Path

from mobilebench.files import write_text
from mobilebench.schema import FOLDER, PROTOCOLS_FILE, definitions, schemas

if sys.argv[1:] == ["vectors"]:
    from mobilebench.conformance import vectors

    for vector in vectors():
        place = Path("tests", "vectors", vector.kind, f"{vector.name}.json")
        place.parent.mkdir(parents=True, exist_ok=True)
        write_text(place, vector.text)
elif sys.argv[1:]:
    sys.exit("usage: python -m mobilebench.schema [vectors]")
else:
    for name, text in schemas().items():
        write_text(FOLDER / name, text)
    write_text(FOLDER / PROTOCOLS_FILE, definitions())
