"""Seconds to judge a folder of fonts, first and again, and what share needs a person's look.

    python tests/bench/bench_fonts.py FOLDER [jobs]

Files are judged into an empty cache of their own, then once more from it.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from core.fonts.check import check_fonts
from core.fonts.formats import font_files


def main(folder: Path, jobs: int) -> None:
    files = font_files([folder])
    with tempfile.TemporaryDirectory() as store:
        for name in ("first", "again"):
            start = time.perf_counter()
            reports = [r for c in check_fonts(files, jobs, Path(store)) for r in c.reports]
            seconds = time.perf_counter() - start
            print(f"{name}: {len(files)} files in {seconds:.1f} s with {jobs} processes "
                  f"({1000 * seconds / len(files):.1f} ms each)")
    looks = sum(r.needs_look for r in reports)
    whole = sum("" in r.rejected() for r in reports)
    some = sum(bool(r.rejected()) for r in reports) - whole
    print(f"{len(reports)} fonts: {whole} rejected whole, {some} in part, {looks} "
          f"({looks / len(reports):.1%}) need a look")
    checks = Counter((check, s) for r in reports for check, s in {(f.check, f.severity)
                                                                  for f in r.findings})
    for (check, severity), n in sorted(checks.items()):
        print(f"{check:<18}{severity:<12}{n}")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 2)
