"""Who made a result: an algorithm by its own declaration, else the device that reports.

TID 4019 (Algorithm Identification) where a measurement, a group or the document has it, then TID
1004 (Device Observer), then the equipment of the header: if a device says to be the observer, or
the site says that the product is a model. What people measured on a workstation is no prediction.
"""

from pydicom.dataset import Dataset

from schemas.ingest import Models
from streams.ingest._dicom_header import text
from streams.ingest._model import Declared
from streams.ingest._sr_tree import Item

_NAME, _VERSION, _MAKER = "111001", "111003", "122405"
_OBSERVER_TYPE, _PERSON, _DEVICE = "121005", "121006", "121007"
_DEVICE_NAMES = ("121015", "121013")  # its model, else its own name
_DEVICE_MAKER = "121014"


def algorithm(item: Item) -> Declared | None:
    """The algorithm that stands directly below an item."""
    name = _text(item, _NAME)
    return Declared(name, _text(item, _VERSION), _text(item, _MAKER)) if name else None


def document_maker(document: Item, header: Dataset, models: Models) -> Declared | None:
    """The first algorithm anywhere, else the device; None where none is named."""
    for item in document.walk():
        if (found := algorithm(item)) is not None:
            return found
    product = equipment(header)
    name = next(filter(None, (_text(document, code) for code in _DEVICE_NAMES)), None)
    if name is not None:
        version = product.version if product is not None else None
        return Declared(name, version, _text(document, _DEVICE_MAKER))
    is_named = product is not None and product.name != product.manufacturer
    is_device = _DEVICE in _observers(document)
    return product if (is_named and is_device) or is_declared(product, models) else None


def equipment(header: Dataset) -> Declared | None:
    """The product that wrote the object, or its maker where it has no name."""
    maker = text(header, "Manufacturer")
    name = text(header, "ManufacturerModelName") or maker
    return Declared(name, text(header, "SoftwareVersions"), maker) if name else None


def is_declared(product: Declared | None, models: Models) -> bool:
    """Whether the site says that it is a model."""
    return product is not None and models.find(product.name, product.manufacturer) is not None


def is_by_person(document: Item) -> bool:
    """Whether its observers are people, without a device among them."""
    observers = _observers(document)
    return _PERSON in observers and _DEVICE not in observers


def _observers(document: Item) -> set[str]:
    return {code.code for item in document.named(_OBSERVER_TYPE) for code in item.code}


def _text(item: Item, code: str) -> str | None:
    return next((found.text for found in item.named(code) if found.text), None)
