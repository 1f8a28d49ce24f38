"""The command `rasterd`: the binary takes the place of this process."""

import os
import sys
from typing import NoReturn

from rasterd import binary
from rasterd._process import cannot_run


def main() -> NoReturn:
    """Runs the binary with the same arguments."""
    program = binary()
    try:
        os.execv(program, [str(program), *sys.argv[1:]])
    except OSError as error:
        sys.exit(cannot_run(program, error))


if __name__ == "__main__":
    main()
