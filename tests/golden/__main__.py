"""`python -m tests.golden` writes the golden readouts that no longer hold; read the diff before it is committed."""

from tests.support.shipped import GOLDEN, NAMES, changed, readout

ENDINGS = ("txt", "md", "json")

wanted = {f"{name}.{ending}" for name in NAMES for ending in ENDINGS}
for path in sorted(GOLDEN.iterdir()):
    if path.suffix[1:] in ENDINGS and path.name not in wanted:
        path.unlink()
        print(f"removed {path.name}")
for name in NAMES:
    for ending in ENDINGS:
        if changed(name, ending):
            (GOLDEN / f"{name}.{ending}").write_text(readout(name, ending), encoding="utf-8", newline="\n")
            print(f"wrote {name}.{ending}")
