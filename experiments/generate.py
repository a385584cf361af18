"""Write the simulated events of the documented experiments.

    python experiments/generate.py           rewrite every data file that is out of date
    python experiments/generate.py --check   only compare them with a fresh run; exit 1 if one differs

The articles behind these tests give lifts, never counts. Each story (`stories.py`) therefore fixes how many visitors
of each arm did what, so that the observed lift equals the published one as printed; who did it and when is drawn with
a fixed seed (`simulate.py`). Three more tests, of customer
service and of a checkout, are invented altogether (`service.py`, `checkout.py`). The files
come out the same, byte for byte, on every machine.
"""

import argparse
import csv
import gzip
import io
import sys
from collections.abc import Sequence
from pathlib import Path

import checkout
import service
from simulate import Row, simulate
from stories import STORIES, Export, Story

HERE = Path(__file__).resolve().parent


def render(export: Export, story: Story, rows: Sequence[Row]) -> bytes:
    """One data file, uncompressed."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(export.columns)
    for row in rows:
        if export.arm not in (None, row.visitor.arm):
            continue
        if export.exposures not in (None, row.event == story.exposure):
            continue
        fields = row.fields(story.start)
        writer.writerow(fields[field] for field in export.columns.values())
    return text.getvalue().encode("utf-8")


def generate() -> dict[Path, bytes]:
    """Every data file, uncompressed, by its path below this folder."""
    files: dict[Path, bytes] = {}
    for story in STORIES:
        rows = simulate(story)
        for export in story.exports:
            files[Path(story.folder, export.name)] = render(export, story, rows)
    for path, (header, cells) in service.files():
        files[path] = _csv([header, *cells])
    for name, (header, cells) in checkout.files().items():
        files[Path(checkout.FOLDER, name)] = _csv([header, *cells])
    return files


def _csv(rows: Sequence[Sequence[str]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue().encode("utf-8")


def pack(path: Path, content: bytes) -> bytes:
    """The bytes to store: gzip without name and time for .gz, else the content itself."""
    if path.suffix != ".gz":
        return content
    packed = io.BytesIO()
    with gzip.GzipFile(filename="", mode="wb", compresslevel=9, fileobj=packed, mtime=0) as file:
        file.write(content)
    return packed.getvalue()


def is_current(path: Path, content: bytes) -> bool:
    """Whether the stored file holds the content. zlib versions pack differently, so .gz is compared unpacked."""
    if not path.is_file():
        return False
    stored = path.read_bytes()
    if path.suffix != ".gz":
        return stored == content
    flags_and_time = stored[3:8]  # no name, no time: all zero
    return flags_and_time == bytes(5) and gzip.decompress(stored) == content


def main() -> int:
    """Rewrite or check the data files; returns the exit code."""
    parser = argparse.ArgumentParser(description="Write the simulated events of the documented experiments.")
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if a file differs from a fresh run")
    check: bool = parser.parse_args().check
    files = generate()
    stale = [name for name, content in files.items() if not is_current(HERE / name, content)]
    for name in stale:
        print(f"{'differs' if check else 'written'}: {name.as_posix()}")
        if not check:
            (HERE / name).parent.mkdir(parents=True, exist_ok=True)
            (HERE / name).write_bytes(pack(name, files[name]))
    print(f"{len(files) - len(stale)} of {len(files)} files were up to date")
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
