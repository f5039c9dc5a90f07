"""`python -m osler` is `osler`."""

from osler.cli import main

main()
