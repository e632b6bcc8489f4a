"""Plain values become objects only if types and ranges are those that are declared."""

import json
import re

import pytest

from diffsym.errors import DiffsymError
from diffsym.settings import values_of
from diffsym.settings.augmentation import Augmentation
from diffsym.settings.checked import checked
from diffsym.settings.descriptors.electron import Electron
from diffsym.settings.descriptors.ideal import Ideal
from diffsym.settings.descriptors.powder import Peaks, Powder

DOUBLET = ((1.540593, 2.0), (1.544427, 1.0))
POWDERS = [
    Powder(),
    Powder(wavelength=DOUBLET, peaks=Peaks(crystallite_size=300.0, eta=0.3)),
    Powder(augmentation=Augmentation(crystallite_size=(100.0, 400.0), impurity_lines=(0, 3))),
]


def plain(section):
    return json.loads(json.dumps(values_of(section)))


@pytest.mark.parametrize("section", [*POWDERS, Ideal(bins=77)])
def test_a_section_comes_back(section):
    assert checked(type(section), plain(section)) == section


def test_whole_numbers_are_numbers_too():
    found = checked(Powder, {"two_theta_max": 80})
    assert (found.two_theta_max, type(found.two_theta_max)) == (80.0, float)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"wave": 1}, "wave is a key that nobody knows"),
        ({"kind": "pdf"}, "kind is none of 'powder'"),
        ({"kind": 1}, "kind is none of 'powder'"),
        ({"two_theta_min": "5"}, "two_theta_min is not a number"),
        ({"two_theta_min": True}, "two_theta_min is not a number"),
        ({"two_theta_min": 1e400}, "two_theta_min is no finite number"),
        ({"two_theta_min": 10**400}, "two_theta_min is no finite number"),
        ({"two_theta_min": 0}, "two_theta_min is 0.0 and has to be above 0"),
        ({"two_theta_max": 180}, "two_theta_max is 180.0 and has to be below 180"),
        ({"b_iso": -1}, "b_iso is -1.0 and has to be at least 0"),
        ({"peaks": {"eta": 1.5}}, "peaks.eta is 1.5 and has to be at most 1"),
        ({"peaks": [0.1]}, "peaks holds no keys and values"),
        ({"wavelength": [[1.5, 1], [1.6]]}, "wavelength[1] has 1 values and not 2"),
        ({"wavelength": {"CuKa": 1}}, "wavelength is no list"),
        ({"two_theta_min": 90}, "the content: two_theta_max must exceed two_theta_min"),
        ({"augmentation": {"noise": [1, 0]}}, "augmentation: noise: the first value must not"),
    ],
)
def test_anything_else_is_refused(change, sentence):
    with pytest.raises(DiffsymError, match=re.escape(sentence)):
        checked(Powder, plain(Powder()) | change)


def test_what_has_no_default_has_to_be_there():
    with pytest.raises(DiffsymError, match="pattern is missing"):
        checked(Electron, {})
