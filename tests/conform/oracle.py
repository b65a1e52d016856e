"""What datacontract-cli says of some contracts and their data: run by the interpreter of its own environment.

Reads ``[folder, ...]`` as JSON from standard input. A folder holds ``contract.yaml`` with a server named ``here``, and
``[[type of check, result, reason], ...]`` is written for it; or ``before.yaml`` and ``after.yaml``, and
``[[whom it breaks, whether it does], ...]`` is; or ``lint.yaml``, and ``[[check, result, reason], ...]`` is.
"""

import json
import logging
import sys
from pathlib import Path


def judged(folder: Path) -> list[list[object]]:
    """What another program says of one folder."""
    from datacontract.data_contract import DataContract

    def read(name: str, **more: str) -> DataContract:
        return DataContract(data_contract_file=str(folder / name), **more)

    if (folder / "before.yaml").exists():
        before, after = read("before.yaml"), read("after.yaml")
        whom = ("consumer", "producer")
        return [[p, before.breaking(after, perspective=p).is_breaking] for p in whom]
    is_lint = (folder / "lint.yaml").exists()
    found = read("lint.yaml").lint() if is_lint else read("contract.yaml", server="here").test()
    return [[str(c.type), str(c.result.value) if c.result else "none", str(c.reason or "")] for c in found.checks]


def main() -> None:
    """Judge every folder that is asked for."""
    logging.disable(logging.CRITICAL)
    json.dump([judged(Path(f)) for f in json.load(sys.stdin)], sys.stdout)


if __name__ == "__main__":
    main()
