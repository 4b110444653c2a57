"""Write the schema files."""

from mobilebench.files import write_text
from mobilebench.schema import FOLDER, schemas

for name, text in schemas().items():
    write_text(FOLDER / name, text)
