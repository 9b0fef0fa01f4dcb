"""Scanners of a site: each has settings, an image quality and patients of its own."""

from dataclasses import dataclass
from random import Random
from typing import Literal

Modality = Literal["DX", "CT"]


@dataclass
class Scanner:
    """One device. `bias` moves the scores of its images on the logit scale."""

    station: str
    modality: Modality
    manufacturer: str
    model: str
    software: str
    pixel_mm: float
    kernel: str | None
    is_portable: bool
    share: float
    """Of the site's studies, beside the other scanners' shares."""
    weekend_share: float
    kvp: float
    snr: float
    quality: float
    distance: float
    bias: float
    prevalence: float
    """Of its patients, over the usual one."""
    wander: float = 0.0
    """Where its signal to noise is at present: it follows where it was."""


@dataclass(frozen=True)
class _Product:
    manufacturer: str
    model: str
    software: str
    pixel_mm: float
    kernel: str | None = None


_LUMEN, _RAY = _Product("Acme", "Lumen", "4.1", 0.143), _Product("Borealis", "Ray", "11.0", 0.139)
_SPIRAL, _VOLUME = (
    _Product("Acme", "Spiral", "VB20", 0.48, "B30f"),
    _Product("Cetus", "Volume", "7.3", 0.52, "FC08"),
)
_PRODUCTS: dict[Modality, tuple[_Product, ...]] = {
    "DX": (_LUMEN, _LUMEN, _RAY),
    "CT": (_SPIRAL, _VOLUME),
}


def fleet(random: Random, dx_n: int, ct_n: int) -> list[Scanner]:
    """The scanners of a site: every fourth DX is portable, the first of each never closes."""
    return [
        *(_scanner(random, "DX", number) for number in range(1, dx_n + 1)),
        *(_scanner(random, "CT", number) for number in range(1, ct_n + 1)),
    ]


def _scanner(random: Random, modality: Modality, number: int) -> Scanner:
    products = _PRODUCTS[modality]
    product = products[number % len(products)]
    is_portable = modality == "DX" and number % 4 == 3
    share = random.choice((0.5, 0.8, 1.0, 1.5))
    return Scanner(
        station=f"{modality}{number}",
        modality=modality,
        manufacturer=product.manufacturer,
        model=product.model,
        software=product.software,
        pixel_mm=product.pixel_mm,
        kernel=product.kernel,
        is_portable=is_portable,
        share=share,
        weekend_share=share * (1.0 if is_portable or number == 1 else 0.3),
        kvp=random.gauss(100, 4),
        snr=random.gauss(30, 2),
        quality=random.gauss(0.7, 0.03),
        distance=random.gauss(3.5, 0.15),
        bias=random.gauss(0, 0.15),
        prevalence=random.uniform(0.75, 1.3) * (1.4 if is_portable else 1.0),
    )
