"""`python -m rlaudit` is `rlaudit`."""

from rlaudit.cli import main

if __name__ == "__main__":
    main()
