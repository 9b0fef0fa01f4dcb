"""`--http HOST:PORT`, of the commands that serve something; it brings no engine with it."""

import argparse

from streams.status_server import Address, address


def add_http(parser: argparse.ArgumentParser) -> None:
    """`--http HOST:PORT`."""
    parser.add_argument(
        "--http",
        type=http_address,
        metavar="HOST:PORT",
        help="serve the live page, /metrics, /healthz and /readyz there; port 0 is any free one",
    )


def http_address(written: str) -> Address:
    """`HOST:PORT`, for argparse."""
    try:
        return address(written)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
