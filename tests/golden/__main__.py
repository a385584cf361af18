"""`python -m tests.golden` writes the golden readouts that no longer hold; read the diff before it is committed."""

from tests.support import extremes
from tests.support.shipped import GOLDEN, NAMES, changed, readout

ENDINGS = ("txt", "md", "json")

wanted = {f"{name}.{ending}" for name in NAMES for ending in ENDINGS}
for path in sorted(GOLDEN.iterdir()):
    if path.suffix[1:] in ENDINGS and path.name not in wanted:
        path.unlink()
        print(f"removed {path.name}")
(GOLDEN / "extremes").mkdir(exist_ok=True)
for path in sorted((GOLDEN / "extremes").iterdir()):
    if path.stem not in extremes.NAMES:
        path.unlink()
        print(f"removed {path.name}")
for name in extremes.NAMES:
    path = GOLDEN / "extremes" / f"{name}.txt"
    if not path.exists() or path.read_text(encoding="utf-8") != extremes.texts(name):
        path.write_text(extremes.texts(name), encoding="utf-8", newline="\n")
        print(f"wrote extremes/{name}.txt")
for name in NAMES:
    for ending in ENDINGS:
        if changed(name, ending):
            (GOLDEN / f"{name}.{ending}").write_text(readout(name, ending), encoding="utf-8", newline="\n")
            print(f"wrote {name}.{ending}")
