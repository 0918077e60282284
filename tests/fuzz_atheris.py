"""Coverage-guided fuzzing of the importers: `make fuzz`, or for one sample and five minutes

    .venv-fuzz/bin/python tests/fuzz_atheris.py "tidy scores" -max_total_time=300

An input is a byte that chooses a file of the sample, and the bytes that it is given. What is found stands below
.fuzz/SAMPLE/ as crash-..., and belongs into a test of its importer. Not part of the tests: it needs atheris, which
brings a fuzzer of C++ along, and has no end of its own.
"""

import contextlib
import re
import sys
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["rlaudit.importers", "rlaudit.scores"]):
    import fuzz_laws
    from fuzz_samples import SAMPLES
    from mutations import STRANGERS

FOUND = Path(".fuzz")


def main() -> None:
    """`fuzz_atheris.py SAMPLE [flags of libFuzzer]`."""
    sample, *flags = sys.argv[1:]
    folder = FOUND / re.sub(r"\W+", "-", sample)
    corpus = folder / "corpus"
    corpus.mkdir(parents=True, exist_ok=True)
    before = fuzz_laws.original(sample)
    paths = [path for path, node in sorted(before.items()) if isinstance(node, bytes)][:256]
    for i, path in enumerate(paths):
        for j, content in enumerate((before[path], *STRANGERS)):
            (corpus / f"seed-{i}-{j}").write_bytes(bytes([i]) + content)  # type: ignore[operator]
    fuzz_laws.alarm = contextlib.nullcontext  # type: ignore[assignment]  # libFuzzer has the alarm clock
    workspace = fuzz_laws.Workspace(Path(fuzz_laws.scratch()) / "fuzz")
    workspace.hold(before)
    whole = fuzz_laws.outcome(workspace.sources(), SAMPLES[sample])

    def one_input(data: bytes) -> None:
        path = paths[data[0] % len(paths)] if data else paths[0]
        after = {**before, path: data[1:]}
        made = fuzz_laws.Case(sample, "noise", 0, before, after, path)
        if broken := fuzz_laws.judged(made, workspace, whole):
            raise AssertionError("\n".join(broken))

    limits = ["-timeout=20", "-rss_limit_mb=2000", "-max_len=20000", f"-artifact_prefix={folder}/"]
    atheris.Setup([sys.argv[0], *limits, *flags, str(corpus)], one_input)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
